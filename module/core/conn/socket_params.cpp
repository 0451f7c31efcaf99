// SPDX-License-Identifier: GPL-2.0
//
// Parameters of one socket: which of them may be set there and by whom, what a change means for a connection that
// is there already, and the effective value with its origin.
#include <linux/atcp.h>

#include "abi/atcp_core.h"
#include "cc/registry.h"
#include "conn/tcb.h"

namespace atcp {
namespace {

/// A checked change of several parameters.
struct Change {
  Param which[kParamCount];
  uint32_t value[kParamCount];
  uint32_t n = 0;
  int32_t cc = -1;  ///< of congestion_control, which is no override
};

atcp_err check_scope(uint32_t i, bool privileged) {
  if (i >= kParamCount) return ATCP_ERR_NOT_FOUND;
  switch (kParams[i].scope) {
    case ParamScope::NETNS:
      return ATCP_ERR_NOT_SUPPORTED;
    case ParamScope::ADMIN:
      return privileged ? ATCP_OK : ATCP_ERR_NOT_PERMITTED;
    case ParamScope::SOCKET:
      break;
  }
  return ATCP_OK;
}

/// A congestion control that this caller may choose, by its number.
atcp_err check_cc(const Tcb& t, uint32_t number, bool privileged) {
  const CcOps* ops = cc_get(number);
  const bool is_default = number == t.ns->param(Param::CongestionControl);
  // For those who may not use it, it is not there.
  if (ops == nullptr || (has_flag(*ops, ATCP_CC_RESTRICTED) && !privileged && !is_default))
    return ATCP_ERR_NOT_FOUND;
  return ATCP_OK;
}

atcp_err add(const Tcb& t, Change& ch, uint32_t i, const char* text, bool privileged) {
  atcp_err err = check_scope(i, privileged);
  uint32_t v[3] = {};
  if (err == ATCP_OK) err = param_parse(i, text, v);
  if (err != ATCP_OK) return err;
  if (static_cast<Param>(i) == Param::CongestionControl) {
    ch.cc = static_cast<int32_t>(v[0]);
    return check_cc(t, v[0], privileged);
  }
  if (ch.n == kParamCount) return ATCP_ERR_INVALID;
  ch.which[ch.n] = static_cast<Param>(i);
  ch.value[ch.n++] = v[0];
  return ATCP_OK;
}

}  // namespace

void param_changed(Tcb& t, Param p, Now now) {
  switch (p) {
    case Param::KeepaliveTime:
      t.timers.stop(TimerId::Keepalive);
      restart_keepalive(t, now);
      t.timers.sync(t.conn());
      break;
    case Param::Reordering:
      // What a connection has learnt of its path is not forgotten.
      t.reordering = in(t.state, kSynchronized) ? max(t.reordering, t.param(p)) : t.param(p);
      break;
    case Param::MtuProbing:
      mtu_probe_changed(t, now);
      break;
    case Param::InitCwnd:
      if (t.state == State::Closed) reset_cc(t, false, now);
      break;
    case Param::NotsentLowat:
      // Whoever waits looks again.
      atcp_os_conn_event(t.conn(), ATCP_EV_WRITABLE);
      break;
    default:  // is read when it is needed
      break;
  }
}

atcp_err choose_cc(Tcb& t, uint32_t number, bool privileged, uint8_t source, Now now) {
  atcp_os_rcu_lock();
  atcp_err err = check_cc(t, number, privileged);
  const CcOps* ops = cc_get(number);
  if (err == ATCP_OK && t.cc_ops != ops && !set_cc(t, *ops, in(t.state, kSynchronized), now))
    err = ATCP_ERR_NO_MEMORY;
  if (err == ATCP_OK) store_relaxed(&t.cc_source, source);
  atcp_os_rcu_unlock();
  return err;
}

namespace {

/// The namespace's, or, as for a new socket, the engine's own if the module of that one is gone.
atcp_err default_cc(Tcb& t, Now now) {
  const auto from = static_cast<uint8_t>(t.ns->params.source(Param::CongestionControl));
  atcp_err err = choose_cc(t, t.ns->param(Param::CongestionControl), true, from, now);
  if (err != ATCP_OK)
    err = choose_cc(t, static_cast<uint32_t>(cc_find(cc_default().name)), true, from, now);
  return err;
}

/// The congestion control is the last that can fail: what was prepared holds, or it never was. Returns err.
atcp_err finish(Tcb& t, const Change& ch, Overrides* made, atcp_err err, Now now) {
  if (err != ATCP_OK) {
    if (made != nullptr) OverridesRef::discard(made);
    return err;
  }
  if (made != nullptr) t.overrides.publish(made);
  for (uint32_t k = 0; k < ch.n; k++)
    param_changed(t, ch.which[k], now);
  return ATCP_OK;
}

}  // namespace

atcp_err set_socket_params(Tcb& t, const atcp_param_text* set, uint32_t n, uint8_t source,
                           bool privileged, Now now, uint32_t* bad) {
  Change ch;
  atcp_err err = ATCP_OK;
  atcp_os_rcu_lock();
  for (*bad = 0; *bad < n; ++*bad) {
    err = add(t, ch, set[*bad].i, set[*bad].text, privileged);
    if (err != ATCP_OK) break;
  }
  atcp_os_rcu_unlock();
  if (err != ATCP_OK) return err;
  Overrides* made = nullptr;
  if (ch.n != 0) {
    made = t.overrides.prepare(ch.which, ch.value, ch.n, source);
    if (made == nullptr) return ATCP_ERR_NO_MEMORY;
  }
  if (ch.cc >= 0) err = choose_cc(t, static_cast<uint32_t>(ch.cc), privileged, source, now);
  return finish(t, ch, made, err, now);
}

atcp_err reset_socket_params(Tcb& t, const uint32_t* which, uint32_t n, Now now, uint32_t* bad) {
  Change ch;
  bool cc = false;
  for (*bad = 0; *bad < n; ++*bad) {
    const atcp_err err = check_scope(which[*bad], true);
    if (err != ATCP_OK) return err;
    if (static_cast<Param>(which[*bad]) == Param::CongestionControl) {
      cc = true;
      continue;
    }
    const auto p = static_cast<Param>(which[*bad]);
    if (!t.overrides.has(p)) continue;  // nothing of its own: nothing changes
    if (ch.n == kParamCount) return ATCP_ERR_INVALID;
    ch.value[ch.n] = 0;
    ch.which[ch.n++] = p;
  }
  Overrides* made = nullptr;
  if (ch.n != 0) {
    made = t.overrides.prepare(ch.which, ch.value, ch.n, 0);
    if (made == nullptr) return ATCP_ERR_NO_MEMORY;
  }
  return finish(t, ch, made, cc ? default_cc(t, now) : ATCP_OK, now);
}

uint32_t format_socket_param(const Tcb& t, uint32_t i, uint32_t* source, char* buf, uint32_t size) {
  const auto p = static_cast<Param>(i);
  if (p == Param::CongestionControl) {
    *source = load_relaxed(&t.cc_source);
    const CcOps* ops = load_acquire(&t.cc_ops);
    const int32_t number = ops != nullptr ? cc_find(ops->name) : -1;
    if (number >= 0) {
      const uint32_t v[3] = {static_cast<uint32_t>(number), 0, 0};
      return param_format(i, v, buf, size);
    }
  }
  const Override own = t.overrides.find(p);
  *source = own.source != 0 ? own.source : t.ns->params.source(p);
  if (own.source == 0) return t.ns->params.format(i, buf, size);
  const uint32_t v[3] = {own.value, 0, 0};
  return param_format(i, v, buf, size);
}

}  // namespace atcp
