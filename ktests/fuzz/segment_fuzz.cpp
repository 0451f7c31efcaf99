// SPDX-License-Identifier: GPL-2.0
//
// libFuzzer target for the whole core: a connection is brought into one of its states, then segments,
// time, calls of the program, ICMP errors and failures of the port arrive as the input says. After each step the
// connection's books are added up anew from its send queue, the window's edge may not have moved back,
// and every byte that was delivered or sent must be the one that belongs at its sequence number; at
// the end nothing may be left. What segments are answered is not judged here: unit tests do that.
#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <set>

#include "fuzz/fuzz_input.h"
#include "wire/segment.h"

namespace {

using namespace atcp;
using namespace atcp::fuzz;
using namespace atcp::test;

constexpr uint32_t kIrs = 0xfffffe00;  // the peer's numbers wrap soon
constexpr uint16_t kOurPort = 80;
constexpr uint16_t kPeerPort = 5000;
constexpr uint32_t kMaxSteps = 200;

uint8_t peer_byte(Seq at) {
  return static_cast<uint8_t>((at - Seq(kIrs)) * 2654435761u >> 13);
}
uint8_t our_byte(uint32_t at) {
  return static_cast<uint8_t>(at * 2246822519u >> 11);
}

class World {
 public:
  explicit World(Input& in) : in_(in), srv_(net_.add_host("srv", ip4(10, 0, 0, 1))) {
    srv_.os().wire = [this](Emitted&& e) { sent(e); };
    const uint8_t options = in_.u8();
    ts_ = (options & 1) != 0;
    sack_ = (options & 2) != 0;
    wscale_ = (options & 4) != 0 ? (options >> 4) % 15 : -1;
    if ((options & 8) != 0) srv_.set("invalid_ratelimit", "0");
    listener_ = srv_.listen(kOurPort);
  }

  void run() {
    start(in_.u8() % 12);
    check();
    for (uint32_t i = 0; i < kMaxSteps && !in_.empty(); i++) {
      step();
      check();
    }
  }

 private:
  struct Peer {
    uint8_t flags = ATCP_ACK;
    Seq seq;
    Seq ack;
    uint16_t wnd = 60000;
    uint32_t len = 0;
    uint32_t n_sack = 0;
    SackBlock sack[kMaxSackBlocks] = {};
    uint32_t ts_back = 0;
  };

  // ---- what the core sent ----

  void sent(const Emitted& e) {
    last_ = e.seg;
    if ((e.seg.flags & ATCP_SYN) != 0) iss_ = Seq(e.seg.seq);
    for (size_t i = 0; i < e.data.size(); i++) {
      const auto at = static_cast<uint32_t>((Seq(e.seg.seq) + static_cast<uint32_t>(i)) - iss_) - 1;
      REQUIRE(e.data[i] == our_byte(at));
    }
  }

  // ---- what the peer sends ----

  Tcb* tcb() { return conn_.exists() ? &conn_.tcb() : nullptr; }

  void arrive(const Peer& p) {
    Header h;
    h.lport = to_be16(kPeerPort);
    h.rport = to_be16(kOurPort);
    h.flags = p.flags;
    h.seq = p.seq;
    h.ack = p.ack;
    h.wnd = p.wnd;
    h.n_sack = static_cast<uint8_t>(p.n_sack);
    for (uint32_t i = 0; i < p.n_sack; i++)
      h.sack[i] = p.sack[i];
    h.has_ts = ts_;
    h.tsval = static_cast<uint32_t>(net_.now() / kMs) - p.ts_back;
    h.tsecr = last_.tsval;
    if ((p.flags & ATCP_SYN) != 0) {
      h.mss = mss_;
      h.sack_ok = sack_;
      h.has_wscale = wscale_ >= 0;
      h.wscale = static_cast<uint8_t>(wscale_ < 0 ? 0 : wscale_);
    }
    uint8_t bytes[kMaxHeader];
    const uint32_t n = write_header(h, bytes);
    Emitted e;
    e.tuple.family = ATCP_AF_INET;
    e.tuple.laddr.v4 = ip4(10, 0, 0, 2);
    e.tuple.raddr.v4 = ip4(10, 0, 0, 1);
    e.tuple.lport = h.lport;
    e.tuple.rport = h.rport;
    e.hdr.assign(bytes, bytes + n);
    if ((p.flags & ATCP_URG) != 0) urgent_.insert({p.seq.raw(), (p.seq + 1).raw()});
    const Seq first = p.seq + ((p.flags & ATCP_SYN) != 0 ? 1 : 0);
    for (uint32_t i = 0; i < p.len; i++)
      e.data.push_back(peer_byte(first + i));
    srv_.receive(e);
    accept();
  }

  void accept() {
    if (has_conn_ || !listener_open_) return;
    if (auto s = listener_.accept()) {
      conn_ = *s;
      has_conn_ = program_has_ = true;
      written_ = 0;
      any_read_ = false;
      edge_known_ = false;
    }
  }

  /// Number space as the peer should see it now.
  Seq peer_next() {
    Tcb* t = tcb();
    return t != nullptr && t->irs != Seq(0) ? t->rcv_nxt : Seq(kIrs) + 1;
  }
  Seq ours_next() {
    Tcb* t = tcb();
    return t != nullptr ? t->snd_nxt : iss_ + 1;
  }

  void plain(uint8_t flags) {
    Peer p;
    p.flags = flags;
    p.seq = peer_next();
    p.ack = ours_next();
    arrive(p);
  }

  void start(uint32_t state) {
    if (state == 0) return;  // LISTEN
    if (state >= 10) {       // SYN_SENT, or SYN_RECEIVED by simultaneous open
      listener_.close();
      listener_open_ = false;
      conn_ = srv_.socket();
      has_conn_ = program_has_ = true;
      REQUIRE(srv_.try_connect(conn_, ip4(10, 0, 0, 2), kPeerPort, kOurPort) == ATCP_OK);
      if (state == 11) {
        Peer p;
        p.flags = ATCP_SYN;
        p.seq = Seq(kIrs);
        arrive(p);
      }
      return;
    }
    Peer p;
    p.flags = ATCP_SYN;
    p.seq = Seq(kIrs);
    arrive(p);
    if (state == 1) return;  // a request
    p.flags = ATCP_ACK;
    p.seq = Seq(kIrs) + 1;
    p.ack = iss_ + 1;
    arrive(p);
    REQUIRE(has_conn_);
    switch (state) {
      case 3:  // FIN_WAIT_1
        conn_.shutdown();
        break;
      case 4:  // FIN_WAIT_2
        conn_.shutdown();
        plain(ATCP_ACK);
        break;
      case 5:  // CLOSING
        conn_.shutdown();
        p.flags = ATCP_FIN | ATCP_ACK;
        arrive(p);
        break;
      case 6:  // CLOSE_WAIT
        plain(ATCP_FIN | ATCP_ACK);
        break;
      case 7:  // LAST_ACK
        plain(ATCP_FIN | ATCP_ACK);
        close(false);
        break;
      case 8:  // TIME_WAIT
        conn_.shutdown();
        plain(ATCP_ACK);
        plain(ATCP_FIN | ATCP_ACK);
        break;
      case 9:  // FIN_WAIT_1 of nobody
        close(false);
        break;
      default:  // ESTABLISHED
        break;
    }
  }

  // ---- steps ----

  int32_t near() {
    // Mostly at the edge, sometimes some segments away, seldom far.
    const uint8_t how = in_.u8();
    const auto v = static_cast<int8_t>(in_.u8());
    switch (how & 7) {
      case 0:
      case 1:
      case 2:
        return 0;
      case 3:
        return v;
      case 4:
      case 5:
        return v * 1460;
      case 6:
        return v * 65536 / 4;
      default:
        return v * 0x1000000;
    }
  }

  void segment() {
    Peer p;
    p.flags = in_.u8();
    p.seq = peer_next() + static_cast<uint32_t>(near());
    Tcb* t = tcb();
    const bool una = (in_.u8() & 1) != 0 && t != nullptr;
    p.ack = (una ? t->snd_una : ours_next()) + static_cast<uint32_t>(near());
    p.wnd = in_.u16();
    const uint8_t len = in_.u8();
    p.len = len < 64 ? 0 : len < 128 ? len - 63u : (len - 127u) * 24;
    p.ts_back = (in_.u8() & 15) == 0 ? in_.u16() : 0;
    p.n_sack = sack_ ? in_.u8() % 5 : 0;
    for (uint32_t i = 0; i < p.n_sack; i++) {
      p.sack[i].start = p.ack + static_cast<uint32_t>(near());
      p.sack[i].end = p.sack[i].start + in_.u16();
    }
    arrive(p);
  }

  /// What a well-meaning peer would do: takes the fuzzer deep into transfers.
  void friendly(uint8_t how) {
    Peer p;
    Tcb* t = tcb();
    p.seq = peer_next();
    p.ack = ours_next();
    if (t != nullptr && (how & 3) == 1) {
      // Part of what is outstanding, with the rest or some of it SACKed.
      const uint32_t out = bytes_between(t->snd_una, t->snd_nxt);
      p.ack = t->snd_una + (how >> 4 & 3) * t->mss;
      if (p.ack > t->snd_nxt) p.ack = t->snd_nxt;
      if (sack_ && out > 2 * t->mss && p.ack + t->mss < t->snd_nxt) {
        p.n_sack = 1;
        p.sack[0] = {p.ack + t->mss, (how & 4) != 0 ? t->snd_nxt : p.ack + 2 * t->mss};
        if (p.sack[0].end > t->snd_nxt) p.sack[0].end = t->snd_nxt;
      }
    } else if ((how & 3) == 2) {
      p.len = 1 + (how >> 2) * 22u;
    } else if ((how & 3) == 3) {
      p.seq += 1460u * (how >> 4);
      p.len = 1460;
      if ((how & 12) == 12) p.flags |= ATCP_FIN;
    }
    if ((how & 8) != 0) p.wnd = how >> 4 == 0 ? 0 : static_cast<uint16_t>(how << 6);
    arrive(p);
  }

  void close(bool linger0) {
    if (!program_has_ || !conn_.exists()) return;
    program_has_ = false;
    conn_.close(linger0);
  }

  void write(uint32_t n, bool more) {
    if (!program_has_) return;
    Bytes b;
    for (uint32_t i = 0; i < n; i++)
      b.push_back(our_byte(written_ + i));
    written_ += static_cast<uint32_t>(conn_.send(b, more));
  }

  void read(size_t most) {
    if (!program_has_) return;
    const Bytes got = conn_.recv(most);
    const Tcb& t = conn_.tcb();
    if (t.irs == Seq(0) && t.rcv_nxt == Seq(0)) {  // no SYN has come
      REQUIRE(got.empty());
      return;
    }
    // The SYN that was accepted may be one with a number of the input's own.
    if (!any_read_) read_ = t.irs + 1;
    any_read_ = true;
    const Seq end = t.rcv_nxt - (t.fin_received ? 1 : 0) - conn_.readable();
    // What is passed over, if it is not read in line, are urgent octets alone.
    for (; read_ != end - static_cast<uint32_t>(got.size()); read_ = read_ + 1)
      REQUIRE(urgent_.count(read_.raw()) != 0);
    for (const uint8_t b : got) {
      REQUIRE(b == peer_byte(read_));
      read_ = read_ + 1;
    }
  }

  void step() {
    static constexpr uint32_t kOptions[] = {1, 2, 3, 4, 5, 6, 7, 8, 12, 18};
    const uint8_t op = in_.u8();
    switch (op % 20) {
      case 0:
      case 1:
      case 2:
      case 3:
        segment();
        break;
      case 4:
      case 5:
      case 6:
      case 7:
        friendly(in_.u8());
        break;
      case 8:
        net_.run((1 + in_.u8()) * kMs);
        break;
      case 9:
        net_.run(static_cast<uint64_t>(in_.u8()) * kSec);
        break;
      case 10:
      case 11:
        write(1 + in_.u8(), (op & 32) != 0);
        break;
      case 12:
        write(1 + in_.u8() * 300u, false);
        break;
      case 13:
        read(in_.u8() * 64u + 1);
        break;
      case 14:
        read(~size_t{0});
        break;
      case 15:
        if (program_has_) conn_.shutdown();
        break;
      case 16: {
        const uint8_t how = in_.u8();
        if ((how & 7) == 0)
          close((how & 8) != 0);
        else if (how == 1 && program_has_)
          conn_.abort(ATCP_REASON_ABORT_BY_USER);
        else if (how == 2 && listener_open_ && has_conn_) {
          listener_open_ = false;
          listener_.close();
        }
        break;
      }
      case 17: {
        const uint8_t o = in_.u8();
        const uint16_t v = in_.u16();
        if (!program_has_) break;
        if ((o & 128) != 0)
          conn_.set_keepalive((v & 1) != 0);
        else
          conn_.set_option(kOptions[o % (sizeof kOptions / sizeof *kOptions)], v & 0x3ff);
        break;
      }
      case 18:
        if (Tcb* t = tcb()) {
          const auto kind = static_cast<atcp_icmp_kind>(in_.u8() % 7);
          const uint32_t seq = t->snd_una.raw() + static_cast<uint32_t>(near());
          conn_.icmp(kind, seq, in_.u16());
          net_.os.quiesce();
        }
        break;
      default: {
        static constexpr Fault kFaults[] = {Fault::Alloc, Fault::Emit,  Fault::Hold, Fault::Split,
                                            Fault::Trim,  Fault::Child, Fault::Route};
        const Fault f = kFaults[in_.u8() % 7];
        net_.os.fail(f, in_.u8());
        break;
      }
    }
  }

  // ---- what must hold ----

  void check() {
    check_all(net_.os);
    Tcb* t = tcb();
    if (t == nullptr || t->in_done) return;
    REQUIRE(t->state != State::Listen);
    if (!in(t->state, kSynchronized) || t->state == State::SynReceived) return;
    const Seq edge = t->rcv_wup + t->rcv_wnd;
    if (edge_known_) REQUIRE(edge >= edge_);
    edge_ = edge;
    edge_known_ = true;
  }

  Input& in_;
  FakeNet net_;
  Host& srv_;
  Sock listener_;
  Sock conn_;
  bool listener_open_ = true;
  bool has_conn_ = false;
  bool program_has_ = false;
  bool ts_ = false;
  bool sack_ = false;
  int wscale_ = -1;
  uint16_t mss_ = 1460;
  atcp_seg last_ = {};
  Seq iss_;
  Seq read_;  ///< the next number that the program reads, once any_read_
  bool any_read_ = false;
  std::set<uint32_t> urgent_;  ///< numbers that the peer's urgent pointers may have meant
  uint32_t written_ = 0;
  Seq edge_;
  bool edge_known_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  stop_at_failures();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, size);
  World(in).run();
  return 0;
}
