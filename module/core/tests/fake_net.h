// SPDX-License-Identifier: GPL-2.0
//
// Programs, hosts and the network between them, for tests: several cores in one process talk
// through links that delay, lose, duplicate and reorder on a clock that jumps from event to event.
// Host and Sock do what the kernel's glue does between a system call and the core.
#ifndef ATCP_TESTS_FAKE_NET_H
#define ATCP_TESTS_FAKE_NET_H

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tests/fake_os.h"

namespace atcp {
struct Tcb;
struct Ns;
}  // namespace atcp

namespace atcp::test {

constexpr uint64_t kUs = 1000;
constexpr uint64_t kMs = 1000 * kUs;
constexpr uint64_t kSec = 1000 * kMs;

class FakeNet;
class Host;

/// An address of four numbers, in network order; a host's number.
uint32_t ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
/// What hosts speak where a test does not say: by the environment (ATCP_TEST_FAMILY=6) IPv6, else IPv4. So the same
/// conversations can be had in both.
uint16_t test_family();
/// The addresses of a tuple, by the numbers of the hosts; ports are the caller's.
atcp_tuple hosts(uint32_t own, uint32_t peer, uint16_t family = test_family());

/// A program's socket: a handle that may be copied; close() ends it for all copies.
class Sock {
 public:
  Sock() = default;
  Sock(Host* host, FakeConn* c) : host_(host), id_(c->id) {}

  /// Bytes taken into the send queue; fewer than given if the buffer is full.
  size_t send(const Bytes& data, bool more = false, bool urgent = false);
  size_t send(const std::string& text, bool more = false) {
    return send(Bytes(text.begin(), text.end()), more);
  }
  /// send(MSG_OOB): the last byte taken is the urgent one.
  size_t send_urgent(const std::string& text) {
    return send(Bytes(text.begin(), text.end()), false, true);
  }
  /// What has arrived, at most max bytes, up to the urgent mark, whose byte is left out (without SO_OOBINLINE).
  Bytes recv(size_t max = ~size_t{0});
  std::string recv_text(size_t max = ~size_t{0}) {
    const Bytes b = recv(max);
    return std::string(b.begin(), b.end());
  }
  /// recv(MSG_OOB): the byte; else nothing, and how it stands is in *how.
  std::optional<char> recv_urgent(atcp_urgent* how = nullptr, bool peek = false);
  bool at_mark();  ///< SIOCATMARK
  void shutdown();
  void close(bool linger0 = false);
  void abort(uint32_t reason);
  std::optional<Sock> accept();
  atcp_err set_option(uint32_t opt, int32_t value);
  /// What the option is; -1 if there is none.
  int32_t get_option(uint32_t opt);
  void set_keepalive(bool on);
  /// The congestion control, as a privileged program.
  atcp_err set_cc(const char* name);
  std::string cc() const;
  void icmp(atcp_icmp_kind kind, uint32_t seq, uint32_t value = 0);

  /// Still there: closed sockets whose memory is gone are not.
  bool exists() const;
  FakeConn& conn() const;
  Tcb& tcb() const;  ///< for white-box tests
  uint32_t state() const { return conn().state; }
  atcp_err error() const { return conn().error; }
  bool eof() const { return conn().eof; }
  uint32_t readable() const { return conn().rx_bytes; }
  atcp_conn_info info() const;

 private:
  Host* host_ = nullptr;
  uint64_t id_ = 0;
};

/// A namespace with its address and its programs.
class Host {
 public:
  Host(FakeNet& net, const std::string& name, uint32_t addr, uint32_t ehash_entries = 256);
  ~Host();

  /// Of the family that the network has, or as told; one of AF_INET6 may connect to an IPv4 address.
  Sock socket();
  Sock socket(bool v6);
  /// Bound to port (host order) and listening.
  Sock listen(uint16_t port, uint32_t backlog = 128);
  atcp_err try_listen(Sock s, uint16_t port, uint32_t backlog, uint32_t flags = 0);
  /// The SYN is on its way; lport 0: any.
  Sock connect(uint32_t addr, uint16_t port, uint16_t lport = 0);
  atcp_err try_connect(Sock s, uint32_t addr, uint16_t port, uint16_t lport = 0,
                       bool with_data = false);
  /// As sendto(MSG_FASTOPEN): the text goes with the SYN, or nowhere if there is no cookie yet.
  Sock fastopen(uint32_t addr, uint16_t port, const std::string& text);
  atcp_err set(const char* param, const char* text);
  /// A segment arrives, as its sender sent it.
  void receive(const Emitted& e);
  /// Choose the namespace's secret so that a connection with this tuple, opened at that time,
  /// gets an initial sequence number just below 2^32.
  void steer_isn(const atcp_tuple& t, uint64_t at_ns);

  uint64_t counter(const std::string& name) const;
  uint64_t reason(uint32_t r) const { return os_.reasons.at(r); }
  uint32_t addr() const { return addr_; }
  atcp_osns& os() { return os_; }
  atcp_ns* core() { return core_; }
  Ns& ns();
  FakeNet& net() { return net_; }
  bool answers_strangers = true;  ///< segments to nobody get a RST, as a host's kernel gives

 private:
  FakeNet& net_;
  uint32_t addr_;
  atcp_osns& os_;
  atcp_ns* core_ = nullptr;
};

/// What a direction does to segments.
struct Link {
  uint64_t delay_ns = 10 * kMs;
  uint64_t jitter_ns = 0;  ///< added at random: reorders
  uint32_t loss_permille = 0;
  uint32_t dup_permille = 0;
  uint64_t ns_per_byte = 0;    ///< serialisation; 0: none
  uint32_t queue_bytes = ~0u;  ///< waiting behind the serialiser; more is dropped
  uint64_t drop_mask = 0;      ///< bit i: the i-th next segment is lost
  /// Sees (and may change) each segment; false: lost.
  std::function<bool(Emitted&)> filter;
  uint64_t delivered = 0, lost = 0;
  uint64_t busy_until_ns = 0;
};

class FakeNet {
 public:
  FakeNet();
  ~FakeNet();

  FakeOs os;                        ///< the world, with its ledger
  uint16_t family = test_family();  ///< what programs that come from now on speak

  Host& add_host(const std::string& name, uint32_t addr);
  Link& link(const Host& from, const Host& to);
  Link& all_links() { return default_link_; }
  Host* host_of(uint32_t addr);
  void send(Emitted&& e);

  uint64_t now() const { return os.now_ns; }
  /// Let time pass; timers and segments take effect in their order.
  void run(uint64_t ns);
  /// Until done() or for at most ns; true if done() became true.
  bool run_until(const std::function<bool()>& done, uint64_t ns = 60 * kSec);
  /// One event, if it is due by then.
  bool step(uint64_t until_ns);
  /// Segments on their way.
  size_t in_flight() const { return events_.size(); }
  /// Close every socket that a program still has, so that a test need not.
  void close_all();

 private:
  void deliver_piece(Emitted&& e);
  void fire_timer();
  uint64_t next_timer() const;

  Link default_link_;
  std::map<std::pair<uint32_t, uint32_t>, Link> links_;
  std::map<std::pair<uint64_t, uint64_t>, Emitted> events_;
  uint64_t next_event_ = 0;
  std::vector<std::unique_ptr<Host>> hosts_;
};

}  // namespace atcp::test

#endif  // ATCP_TESTS_FAKE_NET_H
