// SPDX-License-Identifier: GPL-2.0
//
// libFuzzer target for conversations: two cores exchange data over a link that loses, doubles, delays and
// reorders as the input says and, if the input wants that, changes headers and payload on the way. After each step
// the books of all connections are looked at; as long as the link is honest, what arrives is what was
// written, byte for byte, and a connection that nobody aborted comes to its end once the link works.
#include <gtest/gtest.h>
#include <linux/atcp.h>

#include "fuzz/fuzz_input.h"

namespace {

using namespace atcp;
using namespace atcp::fuzz;
using namespace atcp::test;

constexpr uint32_t kMaxSteps = 120;
constexpr uint16_t kPort = 80;

uint8_t stream_byte(uint32_t side, uint32_t at) {
  return static_cast<uint8_t>((at + side * 77777) * 2654435761u >> 15);
}

class World {
 public:
  explicit World(Input& in)
      : in_(in),
        host_{&net_.add_host("a", ip4(10, 0, 0, 1)), &net_.add_host("b", ip4(10, 0, 0, 2))} {
    const uint8_t how = in_.u8();
    const uint8_t more = in_.u8();
    honest_ = (how & 1) == 0;
    cookies_ = (how & 128) != 0;
    for (Host* h : host_) {
      if ((how & 2) != 0) h->set("sack", "0");
      if ((how & 4) != 0) h->set("timestamps", "0");
      if ((how & 8) != 0) h->set("window_scaling", "0");
      if ((how & 16) != 0) h->set("congestion_control", "reno");
      if ((how & 32) != 0) h->set("ecn", "1");
      if ((how & 64) != 0) h->set("fastopen", "1543");
      if ((how & 128) != 0) h->set("syncookies", "2");
      h->os().mtu = (more & 1) != 0 ? 576 : 1500;
      h->os().advmss = h->os().mtu - 40;
      if ((more & 2) != 0) h->os().rcvbuf = 4096;
    }
    net_.os.seed(more);
    for (uint32_t i = 0; i < 2; i++) {
      Link& l = net_.link(*host_[i], *host_[1 - i]);
      l.delay_ns = 5 * kMs;
      l.filter = [this](Emitted& e) { return honest_ || passes(e); };
    }
    listener_ = host_[1]->listen(kPort);
    sock_[0] = host_[0]->socket();
    const bool early = (more & 4) != 0;  // the SYN waits for data
    (void)host_[0]->try_connect(sock_[0], host_[1]->addr(), kPort, 0, early);
    has_[0] = true;
    if (early) write(0, 1 + (more >> 3), false);
  }

  void run() {
    for (uint32_t i = 0; i < kMaxSteps && !in_.empty(); i++) {
      step();
      accept();
      net_.os.quiesce();
      check_all(net_.os);
    }
    if (honest_ && !aborted_) finish();
  }

 private:
  void accept() {
    if (has_[1] || met_) return;
    if (auto s = listener_.accept()) {
      sock_[1] = *s;
      has_[1] = met_ = true;
    }
  }

  /// What a dishonest link does to a segment. False: it is gone.
  bool passes(Emitted& e) {
    const uint8_t what = in_.u8();
    if ((what & 0xc0) != 0xc0) return true;
    switch (what & 15) {
      case 0:
        return false;
      case 1:
        e.hdr[in_.u8() % e.hdr.size()] ^= static_cast<uint8_t>(1u << (what >> 4 & 3));
        break;
      case 2:  // sequence number, near
      case 3: {
        const uint32_t at = (what & 1) != 0 ? 8 : 4;
        write_be32(&e.hdr[at], read_be32(&e.hdr[at]) + static_cast<int8_t>(in_.u8()));
        break;
      }
      case 4:  // far
      case 5: {
        const uint32_t at = (what & 1) != 0 ? 8 : 4;
        write_be32(&e.hdr[at], read_be32(&e.hdr[at]) + (static_cast<uint32_t>(in_.u16()) << 16));
        break;
      }
      case 6:
        e.hdr[13] = in_.u8();
        break;
      case 7:
        write_be16(&e.hdr[14], in_.u16());
        break;
      case 8:
        if (!e.data.empty()) e.data.resize(in_.u8() % e.data.size());
        break;
      case 9:
        e.data.resize(e.data.size() + in_.u8() % 64);
        break;
      case 10:  // options
        for (size_t i = 20; i < e.hdr.size(); i++)
          if ((in_.u8() & 7) == 0) e.hdr[i] = in_.u8();
        break;
      case 11:  // fewer or more of them
        e.hdr[12] = static_cast<uint8_t>(in_.u8() << 4);
        break;
      case 12:
        e.ecn = in_.u8() & 3;
        break;
      default:
        if (!e.data.empty()) e.data[in_.u8() % e.data.size()] ^= 0x55;
        break;
    }
    // What a shorter header leaves behind is payload.
    const size_t offset = static_cast<size_t>(e.hdr[12] >> 4) * 4;
    if (offset >= 20 && offset < e.hdr.size()) {
      const auto rest = e.hdr.begin() + static_cast<long>(offset);
      e.data.insert(e.data.begin(), rest, e.hdr.end());
      e.hdr.erase(rest, e.hdr.end());
    }
    return true;
  }

  void write(uint32_t side, uint32_t n, bool more) {
    if (!has_[side]) return;
    Bytes b;
    for (uint32_t i = 0; i < n; i++)
      b.push_back(stream_byte(side, written_[side] + i));
    written_[side] += static_cast<uint32_t>(sock_[side].send(b, more));
  }

  void read(uint32_t side, size_t most) {
    if (!has_[side]) return;
    for (const uint8_t b : sock_[side].recv(most)) {
      if (honest_) REQUIRE(b == stream_byte(1 - side, read_[side]));
      read_[side]++;
    }
    if (honest_) REQUIRE(read_[side] <= written_[1 - side]);
  }

  void shutdown(uint32_t side) {
    if (!has_[side] || shut_[side] || sock_[side].state() == ATCP_STATE_SYN_SENT) return;
    sock_[side].shutdown();
    shut_[side] = true;
  }

  void close(uint32_t side, bool linger0) {
    if (!has_[side]) return;
    has_[side] = false;
    // Unread data makes it a reset, and so does data that comes afterwards.
    if (linger0 || sock_[side].readable() != 0 || !sock_[side].eof()) aborted_ = true;
    sock_[side].close(linger0);
  }

  void step() {
    const uint8_t op = in_.u8();
    const uint32_t side = op >> 7;
    switch (op & 15) {
      case 0:
      case 1:
        write(side, 1 + in_.u8(), (op & 64) != 0);
        break;
      case 2:
      case 3:
        write(side, 1 + in_.u8() * 200u, false);
        break;
      case 4:
        read(side, 1 + in_.u8() * 16u);
        break;
      case 5:
      case 6:
        read(side, ~size_t{0});
        break;
      case 7:
        shutdown(side);
        break;
      case 8:
        if ((in_.u8() & 7) == 0) close(side, (op & 64) != 0);
        break;
      case 9: {
        // What the link does from now on: at most half of it lost, or connections would die of it.
        Link& l = net_.link(*host_[side], *host_[1 - side]);
        const uint8_t how = in_.u8();
        l.loss_permille = (how & 3) * 80u;
        l.dup_permille = (how >> 2 & 3) * 100u;
        l.jitter_ns = (how >> 4 & 3) * 7 * kMs;
        l.ns_per_byte = (how & 64) != 0 ? 1000 : 0;
        l.queue_bytes = (how & 128) != 0 ? 6000 : ~0u;
        break;
      }
      case 10:
        net_.link(*host_[side], *host_[1 - side]).drop_mask |= in_.u16();
        break;
      case 11:
        if (has_[side]) {
          static constexpr uint32_t kOptions[] = {1, 3, 10, 12};
          sock_[side].set_option(kOptions[in_.u8() & 3], in_.u8() & 1);
        }
        break;
      case 12:
        net_.run(kSec * (1 + (in_.u8() & 3)));
        break;
      default:
        net_.run(kMs * (1 + in_.u8()));
        break;
    }
  }

  /// The link works again and both programs read and close: everything arrives.
  void finish() {
    for (uint32_t i = 0; i < 2; i++) {
      Link& l = net_.link(*host_[i], *host_[1 - i]);
      l.loss_permille = l.dup_permille = 0;
      l.drop_mask = 0;
      l.jitter_ns = l.ns_per_byte = 0;
      l.queue_bytes = ~0u;
    }
    const auto done = [this] {
      accept();
      for (uint32_t side = 0; side < 2; side++) {
        read(side, ~size_t{0});
        shutdown(side);
      }
      // Who has closed had read everything (close()).
      return met_ && (!has_[0] || sock_[0].eof()) && (!has_[1] || sock_[1].eof());
    };
    const bool ended = net_.run_until(done, 1000 * kSec);
    check_all(net_.os);
    // A cookie is good for the segment that begins with the first byte. If that is lost, the next one is a
    // stranger's and answered with a reset, as in Linux.
    if (cookies_ && has_[0] && sock_[0].error() == ATCP_ERR_RESET) return;
    for (uint32_t side = 0; side < 2; side++) {
      REQUIRE(!has_[side] || sock_[side].error() == ATCP_OK);
      REQUIRE(read_[side] == written_[1 - side]);
    }
    REQUIRE(ended);
  }

  Input& in_;
  FakeNet net_;
  Host* host_[2];
  Sock listener_;
  Sock sock_[2];
  bool has_[2] = {};  ///< the program has its socket open
  bool shut_[2] = {};
  bool met_ = false;
  bool honest_ = true;
  bool cookies_ = false;
  bool aborted_ = false;
  uint32_t read_[2] = {};
  uint32_t written_[2] = {};
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
