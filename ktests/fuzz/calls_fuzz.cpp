// SPDX-License-Identifier: GPL-2.0
//
// libFuzzer target for programs: many sockets on two hosts are bound, listen, connect, accept, send, are asked
// and told options, shut down, closed and used once more in an order that no sane program has, while the segments
// of all of them are on their way, memory fails and namespaces' parameters change. Judged are the
// ledger and every connection's books; what calls return may be anything.
#include <gtest/gtest.h>
#include <linux/atcp.h>

#include <cstring>
#include <vector>

#include "fuzz/fuzz_input.h"

namespace {

using namespace atcp;
using namespace atcp::fuzz;
using namespace atcp::test;

constexpr uint32_t kMaxSteps = 250;
constexpr size_t kMaxSocks = 12;

class World {
 public:
  explicit World(Input& in)
      : in_(in),
        host_{&net_.add_host("a", ip4(10, 0, 0, 1)), &net_.add_host("b", ip4(10, 0, 0, 2))} {
    net_.all_links().delay_ns = 2 * kMs;
  }

  void run() {
    for (uint32_t i = 0; i < kMaxSteps && !in_.empty(); i++) {
      step();
      net_.os.quiesce();
      check_all(net_.os);
    }
  }

 private:
  struct Open {
    Sock sock;
    uint32_t host;
  };

  Open* pick() {
    if (socks_.empty()) return nullptr;
    return &socks_[in_.u8() % socks_.size()];
  }

  void forget(Open* o) { socks_.erase(socks_.begin() + (o - socks_.data())); }

  /// Few ports, so that programs meet.
  static uint16_t port(uint8_t v) { return static_cast<uint16_t>(8000 + (v & 3)); }

  void parameter(Host& h) {
    static constexpr const char* kSettings[][2] = {
        {"sack", "0"},
        {"sack", "1"},
        {"timestamps", "0"},
        {"timestamps", "1"},
        {"syncookies", "2"},
        {"syncookies", "0"},
        {"fastopen", "1543"},
        {"fastopen", "0"},
        {"abort_on_overflow", "1"},
        {"max_syn_backlog", "1"},
        {"max_tw_buckets", "1"},
        {"tw_reuse", "1"},
        {"migrate_req", "0"},
        {"rfc1337", "1"},
        {"retries2", "2"},
        {"syn_retries", "1"},
        {"synack_retries", "0"},
        {"congestion_control", "reno"},
        {"ehash_max", "1"},
        {"ehash_min", "64"},
        {"early_retrans", "0"},
        {"ecn", "1"},
        {"window_scaling", "0"},
        {"invalid_ratelimit", "0"},
    };
    const auto& s = kSettings[in_.u8() % (sizeof kSettings / sizeof *kSettings)];
    h.set(s[0], s[1]);
  }

  void option(Open& o) {
    static constexpr uint32_t kOptions[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 18, 23, 30, 34, ATCP_OWN_OPT + ATCP_SO_TIMEWAIT_S};
    const uint32_t opt = kOptions[in_.u8() % (sizeof kOptions / sizeof *kOptions)];
    const uint16_t v = in_.u16();
    if ((v & 0x8000) != 0)
      o.sock.get_option(opt);
    else
      o.sock.set_option(opt, static_cast<int32_t>(v & 0x3fff) - 1);
  }

  void step() {
    const uint8_t op = in_.u8();
    const uint32_t h = op >> 7;
    switch (op & 31) {
      case 0:
        if (socks_.size() < kMaxSocks) socks_.push_back({host_[h]->socket(), h});
        break;
      case 1:
        if (socks_.size() < kMaxSocks) {
          const Sock s = host_[h]->socket();
          const uint8_t v = in_.u8();
          (void)host_[h]->try_listen(s, port(v), v >> 4, v >> 2 & 3);
          socks_.push_back({s, h});
        }
        break;
      case 2:
      case 3:
      case 4:
        if (socks_.size() < kMaxSocks) {
          const Sock s = host_[h]->socket();
          const uint8_t v = in_.u8();
          const uint16_t own = (v & 4) != 0 ? port(v >> 4) : 0;
          const uint32_t to = host_[(v & 8) != 0 ? h : 1 - h]->addr();
          (void)host_[h]->try_connect(s, to, port(v), own, (op & 32) != 0);
          socks_.push_back({s, h});
        }
        break;
      case 5:
      case 6:
        if (Open* o = pick(); o != nullptr && o->sock.state() == ATCP_STATE_LISTEN) {
          const uint32_t host = o->host;
          if (auto child = o->sock.accept()) socks_.push_back({*child, host});
        }
        break;
      case 7:
      case 8:
      case 9:
        if (Open* o = pick())
          o->sock.send(Bytes(1 + in_.u8() * ((op & 32) != 0 ? 100u : 1u), 0x42), (op & 64) != 0);
        break;
      case 10:
      case 11:
        if (Open* o = pick()) (void)o->sock.recv(1 + in_.u8() * 30u);
        break;
      case 12:
        if (Open* o = pick()) o->sock.shutdown();
        break;
      case 13:
      case 14:
        if (Open* o = pick()) {
          o->sock.close((op & 32) != 0);
          forget(o);
        }
        break;
      case 15:
        if (Open* o = pick(); o != nullptr && o->sock.state() != ATCP_STATE_LISTEN)
          o->sock.abort(ATCP_REASON_ABORT_BY_USER);
        break;
      case 16:
      case 17:
        if (Open* o = pick()) option(*o);
        break;
      case 18:
        if (Open* o = pick()) o->sock.set_keepalive((op & 32) != 0);
        break;
      case 19:
        if (Open* o = pick()) (void)o->sock.info();
        break;
      case 20:
        parameter(*host_[h]);
        break;
      case 21:
        // A socket once more: after its connection ended, or in the middle of its life.
        if (Open* o = pick(); o != nullptr) {
          const uint8_t v = in_.u8();
          if (o->sock.state() == ATCP_STATE_CLOSED)
            (void)host_[o->host]->try_connect(o->sock, host_[1 - o->host]->addr(), port(v), 0);
        }
        break;
      case 22: {
        static constexpr Fault kFaults[] = {Fault::Alloc, Fault::Emit,  Fault::Hold,
                                            Fault::Split, Fault::Trim,  Fault::Child,
                                            Fault::Route, Fault::Table, Fault::Reserve};
        const Fault f = kFaults[in_.u8() % (sizeof kFaults / sizeof *kFaults)];
        net_.os.fail(f, in_.u8());
        break;
      }
      case 23:
        net_.all_links().drop_mask = in_.u8();
        net_.link(*host_[h], *host_[1 - h]).drop_mask = in_.u8();
        break;
      case 24:
        net_.run(static_cast<uint64_t>(in_.u8()) * kSec);
        break;
      case 25:
        if (Open* o = pick(); o != nullptr && o->sock.state() != ATCP_STATE_LISTEN)
          o->sock.icmp(static_cast<atcp_icmp_kind>(in_.u8() % 7), o->sock.tcb().snd_una.raw(),
                       in_.u16());
        break;
      case 26: {
        Counted c;
        uint64_t cursor = 0;
        const bool listeners = (op & 32) != 0;
        for (bool end = false; !end;)
          end = atcp_core_walk(host_[h]->core(), listeners, &cursor, net_.now(), count, &c);
        break;
      }
      default:
        net_.run(kMs * (1 + (in_.u8() & 63)));
        break;
    }
  }

  struct Counted {
    uint32_t n = 0;
  };
  static bool count(void* arg, const atcp_entry_info*) {
    static_cast<Counted*>(arg)->n++;
    return true;
  }

  Input& in_;
  FakeNet net_;
  Host* host_[2];
  std::vector<Open> socks_;
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
