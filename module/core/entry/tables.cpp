// SPDX-License-Identifier: GPL-2.0
//
// Entries to the tables of parameters, counters and reasons, by index. No namespace means the
// defaults of those to come.
#include "abi/atcp_core.h"

#include "conn/ns.h"

using namespace atcp;

namespace {

const Params& params_of(const atcp_ns* ns) {
  return ns != nullptr ? reinterpret_cast<const Ns*>(ns)->params : default_params();
}

Params& params_of(atcp_ns* ns) {
  return ns != nullptr ? reinterpret_cast<Ns*>(ns)->params : default_params();
}

/// The table of connections has limits of its own, which follow the parameters.
void size_tables(atcp_ns* ns, uint32_t i) {
  const auto p = static_cast<Param>(i);
  if (ns == nullptr || (p != Param::EhashMin && p != Param::EhashMax)) return;
  Ns& n = *reinterpret_cast<Ns*>(ns);
  n.ehash.set_limits(n.param(Param::EhashMin), n.param(Param::EhashMax));
}

}  // namespace

uint32_t atcp_core_param_count(void) {
  return kParamCount;
}

void atcp_core_param_info(uint32_t i, atcp_param_info* out) {
  const ParamRow& row = kParams[i];
  out->name = row.name;
  out->unit = row.unit;
  out->help = row.help;
  out->type = row.type;
  out->min = row.min;
  out->max = row.max;
  out->per_socket = row.scope != ParamScope::NETNS;
  out->restricted = row.scope == ParamScope::ADMIN;
}

int32_t atcp_core_param_find(const char* name) {
  return param_find(name);
}

uint32_t atcp_core_param_get(const atcp_ns* ns, uint32_t i, uint32_t which, char* buf,
                             uint32_t size) {
  return which == 0 ? params_of(ns).format(i, buf, size) : Params::format_default(i, buf, size);
}

atcp_err atcp_core_param_check(uint32_t i, const char* text) {
  return Params::check(i, text);
}

atcp_err atcp_core_param_set(atcp_ns* ns, uint32_t i, const char* text) {
  const atcp_err err = params_of(ns).apply(i, text);
  if (err == ATCP_OK) size_tables(ns, i);
  return err;
}

void atcp_core_param_reset(atcp_ns* ns, uint32_t i) {
  params_of(ns).reset(i);
  size_tables(ns, i);
}

uint32_t atcp_core_param_source(const atcp_ns* ns, uint32_t i) {
  return params_of(ns).source(static_cast<Param>(i));
}

uint32_t atcp_core_rmem(const atcp_ns* ns, uint32_t k) {
  return params_of(ns).get(Param::Rmem, k);
}

uint32_t atcp_core_wmem(const atcp_ns* ns, uint32_t k) {
  return params_of(ns).get(Param::Wmem, k);
}

bool atcp_core_wire_is_tcp(const atcp_ns* ns) {
  // 0 is "tcp", 1 is "atcp": the order in which the parameter's type names them.
  return params_of(ns).get(Param::Wire) == 0;
}

uint32_t atcp_core_closing_records(const atcp_ns* ns) {
  return params_of(ns).get(Param::ClosingRecords);
}

uint32_t atcp_core_counter_count(void) {
  return kCounterCount;
}

const char* atcp_core_counter_name(uint32_t i, const char** help) {
  if (help != nullptr) *help = kCounters[i].help;
  return kCounters[i].name;
}

const char* atcp_core_reason_name(uint32_t i, const char** help) {
  if (help != nullptr) *help = kReasons[i].help;
  return kReasons[i].name;
}
