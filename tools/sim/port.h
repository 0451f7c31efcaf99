// SPDX-License-Identifier: GPL-2.0
//
// The simulator's half of the border: sockets, hosts and the world they are in. One world exists at a time, in one
// thread, so locks are nothing and an RCU grace period is the time until the core has returned.
#ifndef ATCP_SIM_PORT_H
#define ATCP_SIM_PORT_H

#include <memory>
#include <string>
#include <vector>

#include "abi/atcp_core.h"
#include "events.h"
#include "packet.h"
#include "random.h"

namespace atcp::sim {

class World;
class Host;
struct Conn;

/// What a program does when something happens to its socket. Called after the core has returned.
class Program {
 public:
  virtual ~Program() = default;
  /// events: ATCP_EV_*. What had arrived has been read already.
  virtual void on_event(Conn& c, uint32_t events) = 0;
  /// A connection to the listener c.
  virtual void on_accept(Conn& c, Conn& child) = 0;
};

/// What the kernel's glue would keep of a socket. The core sees only the first member.
struct Conn final : Alarm {
  atcp_conn conn{};
  World* world = nullptr;
  Host* host = nullptr;
  Program* program = nullptr;
  atcp_tuple tuple{};
  uint32_t refs = 1;
  uint32_t state = 7;
  atcp_err error = ATCP_OK;
  bool eof = false;
  bool orphaned = false;
  bool closed = false;
  bool program_ref = true;  ///< one of refs is the program's
  bool timer_ref = false;   ///< one is the timer's
  bool alive = true;
  bool is_ready = false;  ///< in World::ready
  uint32_t events = 0;    ///< ATCP_EV_* since the program looked
  // Receiving.
  uint32_t unread = 0;         ///< payload bytes
  uint32_t unread_memory = 0;  ///< what they take
  uint32_t rmem = 0;           ///< that, and what is held out of order
  uint32_t held = 0;           ///< out of order
  uint32_t rcvbuf = 0;
  bool rcvbuf_locked = false;
  uint64_t bytes_read = 0;
  // Sending.
  uint32_t wmem = 0;  ///< payload bytes in the send queue
  uint32_t sndbuf = 0;
  bool sndbuf_locked = false;
  uint64_t bytes_written = 0;
  uint64_t pacing_rate = 0;  ///< bytes per second, 0: not paced

  static Conn& of(const atcp_conn* c);
  bool can_send() const { return alive && atcp_core_can_send(&conn); }

 private:
  void fire() override;
};

/// The timer of a namespace.
struct NsAlarm final : Alarm {
  Host* host = nullptr;

 private:
  void fire() override;
};

}  // namespace atcp::sim

/// The port's half of a namespace.
struct atcp_osns {
  atcp::sim::World* world = nullptr;
  atcp::sim::Host* host = nullptr;
  atcp::sim::NsAlarm timer;
  bool work = false;
  uint32_t mtu = 1500;
  std::vector<uint64_t> counters = std::vector<uint64_t>(512);
  std::vector<uint64_t> reasons = std::vector<uint64_t>(256);
};

namespace atcp::sim {

class World {
 public:
  explicit World(uint64_t seed);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  static World& the();

  Nanos now() const { return events.now(); }
  /// Until `until`, or until nothing is left to happen.
  void run(Nanos until);
  /// Programs hear what happened, memory that was waiting for readers goes.
  void settle();
  Conn& new_conn(Host& host);
  void put(Conn& c);
  /// Seed for the random numbers of link, application or host number `stream`.
  Random stream(uint64_t stream) const { return Random(seed_, stream); }

  Events events;
  PacketPool pool;
  Random core_random;
  std::vector<Conn*> ready;       ///< whose programs have not been told yet
  std::vector<void*> deferred;    ///< memory for the end of all readers
  std::vector<Conn*> dead;        ///< sockets for the same
  std::vector<atcp_osns*> works;  ///< namespaces that asked for process context
  std::vector<std::unique_ptr<Conn>> conns;
  bool ending = false;  ///< nothing leaves any more

 private:
  uint64_t seed_;
};

/// Memory that a kernel would charge for a received packet: its payload in the blocks that a driver fills, and
/// what describes them.
constexpr uint32_t truesize_of(uint32_t payload) {
  return 256 + ((payload + 511) & ~511u);
}

}  // namespace atcp::sim

#endif  // ATCP_SIM_PORT_H
