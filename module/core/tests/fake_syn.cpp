// SPDX-License-Identifier: GPL-2.0
//
// What FakeOs keeps for requests: SYNs for programs (TCP_SAVE_SYN) and routes. Nothing is in them, but each must be given back.
#include "tests/fake_os.h"

using namespace atcp::test;

struct atcp_syn {
  uint32_t refs;
};

extern "C" {

struct atcp_syn* atcp_os_syn_save(const struct atcp_conn* listener, const struct atcp_pkt* syn) {
  if (syn == nullptr) FakeOs::the().complain("syn_save without a SYN");
  if (!FakeConn::of(listener).save_syn) return nullptr;
  auto* s = static_cast<atcp_syn*>(atcp_os_alloc(sizeof(atcp_syn), ATCP_MEM_OTHER));
  if (s != nullptr) s->refs = 1;
  return s;
}

bool atcp_os_syn_tryget(struct atcp_syn* s) {
  if (s->refs == 0) return false;
  s->refs++;
  return true;
}

void atcp_os_syn_put(struct atcp_syn* s) {
  if (--s->refs == 0) atcp_os_free(s, ATCP_MEM_OTHER);
}

struct atcp_kept_route* atcp_os_route_keep(const struct atcp_conn*, const struct atcp_route* r) {
  if (r->port == nullptr) return nullptr;
  FakeOs::the().kept_routes++;
  return reinterpret_cast<atcp_kept_route*>(&FakeOs::the().kept_routes);
}

void atcp_os_route_put(struct atcp_kept_route*) {
  if (--FakeOs::the().kept_routes < 0) FakeOs::the().complain("a route was given back twice");
}

void atcp_os_child_syn(struct atcp_conn* child, struct atcp_syn* s) {
  FakeConn& fc = FakeConn::of(child);
  if (!fc.locked) FakeOs::the().complain("child_syn without the socket's lock");
  if (fc.syn != nullptr) FakeOs::the().complain("a second SYN of one child");
  fc.syn = s;
}

}  // extern "C"
