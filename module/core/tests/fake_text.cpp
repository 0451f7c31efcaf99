// SPDX-License-Identifier: GPL-2.0
//
// What FakeOs saw, as text that a test can compare.
#include "tests/fake_os.h"

#include <linux/atcp.h>

namespace atcp::test {
namespace {

atcp_tuple flipped(const atcp_tuple& t) {
  atcp_tuple r = t;
  r.laddr = t.raddr;
  r.raddr = t.laddr;
  r.lport = t.rport;
  r.rport = t.lport;
  return r;
}

}  // namespace

std::string FakeOs::take_log() {
  std::string out;
  for (const std::string& line : log)
    out += (out.empty() ? "" : "\n") + line;
  log.clear();
  return out;
}

std::string FakeOs::take_told(uint64_t id) {
  std::string out;
  std::vector<Told> rest;
  for (Told& t : told) {
    if (id == 0 || t.id == id)
      out += (out.empty() ? "" : ", ") + t.text;
    else
      rest.push_back(std::move(t));
  }
  told = std::move(rest);
  return out;
}

std::string FakeOs::describe(const Told& t) {
  static const char* const kKinds[] = {"?",
                                       "state",
                                       "drop",
                                       "reset sent",
                                       "reset received",
                                       "retransmit",
                                       "request",
                                       "expired",
                                       "promoted",
                                       "cookie sent",
                                       "cookie good",
                                       "cookie refused",
                                       "queue full",
                                       "queue free",
                                       "cwnd",
                                       "closed",
                                       "lost"};
  static const char* const kAgain[] = {"?", "fast", "timeout", "probe", "syn", "synack"};
  const atcp_event& e = t.event;
  std::string out = kKinds[e.kind];
  if (e.kind == ATCP_EVENT_KIND_STATE)
    out += " " + std::to_string(t.old_state) + ">" + std::to_string(t.new_state);
  if (e.reason != ATCP_REASON_NONE)
    out += std::string(" ") + atcp_core_reason_name(e.reason, nullptr);
  if (e.kind == ATCP_EVENT_KIND_RETRANSMIT) out += std::string(" ") + kAgain[e.retransmit];
  if (e.limit != 0) out += " " + std::to_string(e.queue) + "/" + std::to_string(e.limit);
  return out;
}

std::string FakeOs::describe(const Emitted& e) {
  static const struct {
    uint8_t bit;
    const char* name;
  } kFlags[] = {{ATCP_SYN, "SYN"}, {ATCP_FIN, "FIN"}, {ATCP_RST, "RST"}, {ATCP_PSH, "PSH"},
                {ATCP_ACK, "ACK"}, {ATCP_URG, "URG"}, {ATCP_ECE, "ECE"}, {ATCP_CWR, "CWR"}};
  std::string out;
  for (const auto& f : kFlags)
    if ((e.seg.flags & f.bit) != 0) out += (out.empty() ? "" : "|") + std::string(f.name);
  const uint32_t seq_base = base(e.tuple);
  const uint32_t ack_base = base(flipped(e.tuple));
  const auto relative = [](uint32_t v, uint32_t b) {
    const auto d = static_cast<int32_t>(v - b);
    return (d < 0 ? "" : "+") + std::to_string(d);
  };
  out += " seq" + relative(e.seg.seq, seq_base);
  if ((e.seg.flags & ATCP_ACK) != 0) out += " ack" + relative(e.seg.ack, ack_base);
  if (!e.data.empty()) out += " len=" + std::to_string(e.data.size());
  if ((e.seg.flags & ATCP_URG) != 0) out += " urg=" + std::to_string(e.seg.urg);
  if ((e.seg.has & ATCP_OPT_MSS) != 0) out += " mss=" + std::to_string(e.seg.mss);
  if ((e.seg.has & ATCP_OPT_WSCALE) != 0) out += " ws=" + std::to_string(e.seg.wscale);
  if ((e.seg.has & ATCP_OPT_SACK_OK) != 0) out += " sackok";
  if ((e.seg.flags & ATCP_SYN) != 0 && (e.seg.has & ATCP_OPT_TS) != 0) out += " ts";
  for (uint32_t i = 0; i < e.seg.n_sack; i++)
    out += " sack" + relative(e.seg.sack[i].start, ack_base) + ".." +
           relative(e.seg.sack[i].end, ack_base);
  return out;
}

}  // namespace atcp::test
