// SPDX-License-Identifier: GPL-2.0
//
// The fake port: everything of atcp_os.h for tests in one process, with a clock set by hand, failures on order, a
// text log of what was sent, and a ledger. A FakeOs object is the world of one test; when it goes
// away it fails the test for whatever leaked: memory, packets, locks, references, timers, RCU sections, or a
// lock taken out of order. Programs and networks are in fake_net.h.
#ifndef ATCP_TESTS_FAKE_OS_H
#define ATCP_TESTS_FAKE_OS_H

#include <linux/atcp.h>
#include <atomic>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "abi/atcp_core.h"

namespace atcp::test {

using Bytes = std::vector<uint8_t>;

/// Hosts have numbers, which are their IPv4 addresses; of their IPv6 addresses (fd00::a.b.c.d) the last four bytes.
atcp_ip address_of(uint32_t number, uint16_t family);
uint32_t number_of(const atcp_ip& ip, uint16_t family);

/// What can be made to fail.
enum class Fault {
  Alloc,
  Table,
  Locks,
  Percpu,
  Emit,
  Hold,
  Reserve,
  Split,
  Trim,
  Child,
  Route,
  Count_
};

struct FakeConn;

/// A packet or a piece of a send queue. The core sees `pkt`, and the links in front of it.
struct FakePkt {
  enum class Where { Port, Core, SendQueue, Held, ReceiveQueue };

  uint8_t links[ATCP_PKT_LINKS_BEFORE] = {};
  atcp_pkt pkt{};
  Bytes data;             ///< payload alone
  uint32_t truesize = 0;  ///< memory it is charged with
  Where where = Where::Port;
  FakeConn* charged = nullptr;
  uint32_t acked = 0;  ///< SendQueue: of its first bytes
  uint32_t read = 0;   ///< ReceiveQueue: bytes the program has taken or skipped
  uint32_t end = 0;    ///< ReceiveQueue: end of what was delivered

  static FakePkt& of(atcp_pkt* p) {
    return *reinterpret_cast<FakePkt*>(reinterpret_cast<uint8_t*>(p) - ATCP_PKT_LINKS_BEFORE);
  }
};

/// A segment that left, as the wire has it.
struct Emitted {
  atcp_osns* from = nullptr;
  atcp_tuple tuple{};  ///< as the sender sees it
  Bytes hdr;
  Bytes data;
  uint32_t mss = 0;  ///< where to cut data, if it is longer
  uint8_t ecn = 0;   ///< codepoint of the IP header
  atcp_seg seg{};    ///< hdr parsed; len is that of data
  std::string text;  ///< as in the log
};

/// What those who watch were told.
struct Told {
  atcp_event event{};      ///< its tuple points nowhere
  atcp_tuple tuple{};      ///< the event's, or that of its socket
  uint64_t id = 0;         ///< of its socket; 0: it has none
  uint32_t old_state = 0;  ///< of a change of state
  uint32_t new_state = 0;
  std::string text;  ///< "retransmit fast", "state 1>4", "drop paws" and so on
};

/// What the kernel's glue would keep of a socket. The core sees only the first member.
/// A module that brings a congestion control.
struct FakeModule {
  uint32_t refs = 0;
  bool going = false;  ///< being removed
};

struct FakeConn {
  atcp_conn conn{};
  uint64_t v6_words[ATCP_CONN_V6_WORDS] = {};  ///< behind it
  bool v6 = false;  ///< of AF_INET6; else the core must leave these words alone
  atcp_osns* ns = nullptr;
  uint64_t id = 0;
  atcp_tuple tuple{};  ///< addresses; ports stand in each header
  uint32_t refs = 1;
  bool locked = false;
  bool initialised = false;  ///< atcp_core_conn_init was called, so _fini is due
  // The program's side.
  uint32_t state = 7;
  atcp_err error = ATCP_OK;
  atcp_err soft_error = ATCP_OK;
  bool eof = false;
  bool orphaned = false;
  bool kept_route = false;  ///< of a child: it was given the route of its request
  bool save_syn = false;    ///< TCP_SAVE_SYN
  atcp_syn* syn = nullptr;
  uint32_t device = 0;  ///< it is bound to, and all that atcp_os_conn_same_path compares
  bool closed = false;
  bool program_ref = true;  ///< one of refs is the program's, or that of whoever will accept it
  uint32_t events = 0;      ///< ATCP_EV_* since somebody looked
  uint32_t wakeups = 0;
  uint32_t sigurgs = 0;     ///< ATCP_EV_URGENT so far
  uint32_t sigios = 0;      ///< state changes with which it became writable: it was connected
  bool oob_inline = false;  ///< SO_OOBINLINE
  // Receiving.
  std::deque<FakePkt*> rx;
  uint32_t rx_bytes = 0;
  uint32_t rmem = 0;
  uint32_t held = 0;  ///< of that
  uint32_t rcvbuf = 0;
  bool rcvbuf_locked = false;
  // Sending.
  std::set<FakePkt*> tx;
  uint32_t acked_whole = 0;  ///< pieces of tx so far that were acknowledged to their end
  uint32_t wmem = 0;
  uint32_t sndbuf = 0;
  bool sndbuf_locked = false;
  bool tx_busy = false;  ///< answer of atcp_os_tx_busy
  uint64_t timer_ns = 0;
  uint32_t route_suspects = 0;
  uint64_t pacing_rate = 0;          ///< last told, bytes per second
  bool pacing_own = false;           ///< and that the congestion control needs it
  uint64_t max_pacing_rate = ~0ull;  ///< SO_MAX_PACING_RATE
  bool pacing_kept = false;          ///< there is an fq below

  static FakeConn& of(const atcp_conn* c) {
    return *reinterpret_cast<FakeConn*>(const_cast<atcp_conn*>(c));
  }
};

}  // namespace atcp::test

/// The port's half of a namespace.
struct atcp_osns {
  std::string name;
  atcp_ns* core = nullptr;
  uint64_t timer_ns = 0;
  bool work = false;  ///< atcp_os_ns_work was called; atomic
  std::vector<uint64_t> counters = std::vector<uint64_t>(256);
  std::vector<uint64_t> reasons = std::vector<uint64_t>(256);
  uint32_t mtu = 1500;
  uint32_t advmss = 1460;
  uint32_t ip_options = 0;
  atcp_mem_level mem_level = ATCP_MEM_LEVEL_OK;
  uint32_t rcvbuf = 131072;
  uint32_t sndbuf = 87040;
  /// Takes what leaves; without one it stays in FakeOs::sent.
  std::function<void(atcp::test::Emitted&&)> wire;
};

namespace atcp::test {

class FakeOs {
 public:
  FakeOs();
  ~FakeOs();
  FakeOs(const FakeOs&) = delete;
  FakeOs& operator=(const FakeOs&) = delete;
  /// The one that is alive.
  static FakeOs& the();

  // ---- clock ----
  uint64_t now_ns = 1000000000;  ///< no clock of a real host starts at zero

  // ---- namespaces, sockets, packets ----
  atcp_osns& add_ns(const std::string& name);
  /// A socket's storage, with the program's reference.
  FakeConn& new_conn(atcp_osns& ns);
  FakePkt& new_pkt(Bytes data);
  void free_pkt(FakePkt& p);
  void lock(FakeConn& c);
  /// Unlock; an orphan that is closed loses the program's reference here.
  void unlock(FakeConn& c);
  void put(FakeConn& c);
  /// Run what waits for the end of all RCU readers, if there is none, and the work of namespaces.
  void quiesce();
  /// Sockets whose timer is armed, earliest first.
  std::set<std::pair<uint64_t, uint64_t>> timers;
  std::map<uint64_t, std::unique_ptr<FakeConn>> conns;
  std::vector<std::unique_ptr<atcp_osns>> namespaces;
  std::atomic<int> kept_routes = 0;  ///< references that requests have

  // ---- failures ----
  /// Bit i of mask: the i-th next call fails (bit 0: the very next).
  void fail(Fault f, uint64_t mask) { faults_[static_cast<int>(f)] = mask; }
  /// Every call fails, from now on or no longer.
  void fail_always(Fault f, bool on) { always_[static_cast<int>(f)] = on; }
  /// Each call fails once in n, at random.
  void fail_randomly(Fault f, uint32_t n) { one_in_[static_cast<int>(f)] = n; }
  /// From here on the nth request fails, of whatever kind, and each multiple of every; 0: none.
  void fail_nth(uint64_t nth, uint64_t every) {
    nth_ = nth;
    every_ = every;
    counted_ = 0;
  }
  bool fails(Fault f);
  uint64_t calls(Fault f) const { return calls_[static_cast<int>(f)]; }
  /// Requests that failed by any of these.
  uint64_t injected(Fault f) const { return injected_[static_cast<int>(f)]; }
  uint64_t injected() const {
    uint64_t n = 0;
    for (const uint64_t i : injected_)
      n += i;
    return n;
  }
  /// What atcp_os_emit answers to Fault::Emit.
  uint32_t emit_refusal = ATCP_REASON_NO_MEMORY;
  /// Cuts of a send queue that the core can do without are refused.
  bool spare_splits = false;

  // ---- what was sent ----
  std::deque<Emitted> sent;
  std::vector<std::string> log;
  /// Take the log's lines, joined by newlines.
  std::string take_log();
  /// Sequence numbers are logged relative to the SYN's; this names one that the fake did not see.
  void set_base(const atcp_tuple& sender, uint32_t iss);
  uint32_t base(const atcp_tuple& sender) const;
  std::vector<uint32_t> dropped;  ///< reasons of atcp_os_pkt_free
  bool watch = false;             ///< somebody listens to events
  std::vector<Told> told;         ///< what he heard
  /// Take the text of what the events of socket `id` told, or of all (0), joined by commas.
  std::string take_told(uint64_t id = 0);
  /// Listeners whose request queue overflowed, and whether cookies went out: atcp_os_syn_flood.
  std::vector<std::pair<const FakeConn*, bool>> floods;
  /// Closing records, in the order in which the connections ended: atcp_os_record.
  std::vector<atcp_record> records;
  bool keep_records = true;  ///< somebody wants them: atcp_os_record_begin
  uint64_t resched = 0;      ///< calls of atcp_os_cond_resched
  uint64_t recycled = 0;     ///< answers that left in the buffer of what they answer

  // ---- randomness ----
  uint64_t random();
  void seed(uint64_t s) { random_ = s; }

  // ---- the ledger ----
  /// A mistake: fails the test when the FakeOs goes away, or at once if wanted.
  void complain(const std::string& what);
  /// Complaints so far, and what would be a leak now; empty if all is well.
  std::vector<std::string> audit();
  /// Complaints alone.
  const std::vector<std::string>& complaints() const { return complaints_; }
  uint64_t live_allocations() const { return allocations_.size(); }
  uint64_t live_packets() const { return packets_.size(); }
  /// Runs before a reference to a socket is tried: what another CPU may do just then.
  std::function<void(FakeConn&)> on_tryget;
  /// Set by whoever links the whole core.
  std::function<void(atcp_conn*)> conn_fini;
  std::function<void(atcp_ns*)> ns_work;
  std::function<void(atcp_conn*)> tx_room;

 private:
  friend struct Port;
  struct Allocation {
    uint32_t bytes;
    int kind;  ///< enum atcp_mem, -1 table
  };
  void destroy(FakeConn& c);
  void free_deferred();
  void emit(Emitted&& e);
  std::string describe(const Emitted& e);
  std::string describe(const Told& t);

  mutable std::recursive_mutex mutex_;  ///< the ledger's own: tests may use threads
  std::map<void*, Allocation> allocations_;
  std::set<FakePkt*> packets_;
  std::set<atcp_locks*> lock_arrays_;
  std::set<atcp_percpu*> percpu_;
  std::vector<void*> deferred_;  ///< memory waiting for readers
  std::vector<FakeConn*> dead_;  ///< sockets waiting for readers
  std::vector<std::string> complaints_;
  std::map<std::pair<uint64_t, uint64_t>, uint32_t> bases_;
  uint64_t faults_[static_cast<int>(Fault::Count_)] = {};
  bool always_[static_cast<int>(Fault::Count_)] = {};
  uint32_t one_in_[static_cast<int>(Fault::Count_)] = {};
  uint64_t calls_[static_cast<int>(Fault::Count_)] = {};
  uint64_t injected_[static_cast<int>(Fault::Count_)] = {};
  uint64_t nth_ = 0, every_ = 0, counted_ = 0;
  uint64_t random_ = 1;
  uint64_t next_id_ = 1;
};

/// One call into the core: whatever it locked or read is let go of when it returns.
class Border {
 public:
  explicit Border(const char* what);
  ~Border();

 private:
  const char* what_;
  uint32_t rcu_;
};

}  // namespace atcp::test

#endif  // ATCP_TESTS_FAKE_OS_H
