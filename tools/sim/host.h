// SPDX-License-Identifier: GPL-2.0
//
// A host: a namespace of the core with an address, the system calls of its programs, and a network card that cuts large
// pieces into segments and may merge arriving ones (GRO).
#ifndef ATCP_SIM_HOST_H
#define ATCP_SIM_HOST_H

#include <functional>
#include <map>
#include <string>

#include "port.h"

namespace atcp::sim {

class PcapWriter;

struct HostConfig {
  std::string name;
  std::map<std::string, std::string> params;  ///< of the namespace, by name
  uint32_t mtu = 1500;
  Nanos gro = 0;  ///< segments that arrive within this time may be merged; 0: none are
  uint32_t rcvbuf = 131072, sndbuf = 87040;  ///< bytes; the core tunes both upwards
};

/// No such parameter, or not such a value: std::runtime_error from the constructor.
class Host {
 public:
  Host(World& world, const HostConfig& config, uint16_t index);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // ---- system calls ----
  Conn& listen(uint16_t port, Program& program);
  /// cc empty: the namespace's.
  Conn& socket(Program& program, const std::string& cc);
  /// The SYN leaves. False: no port is left.
  bool connect(Conn& c, const Host& to, uint16_t port);
  void set_cc(Conn& c, const std::string& cc);
  /// Bytes taken, fewer than asked for if the buffer is full.
  uint64_t write(Conn& c, uint64_t bytes);
  void shutdown(Conn& c);
  void close(Conn& c, bool reset = false);
  atcp_conn_info info(const Conn& c) const;

  // ---- the network ----
  /// A segment arrives; takes it.
  void receive(Packet* p);
  /// The core sends one or, with len > mss, many.
  void emit(const atcp_tuple& t, const uint8_t* hdr, uint32_t hdr_len, uint32_t len, uint32_t mss,
            uint8_t ecn);
  /// Where segments go that leave; takes them.
  std::function<void(Packet*)> wire;
  PcapWriter* pcap = nullptr;
  Program* server = nullptr;  ///< whoever listens here

  // ---- for the port ----
  /// The core has let go of c's lock.
  void unlocked(Conn& c);
  /// The program of c reads, and hears of c.events.
  void tell(Conn& c);

  uint64_t counter(const char* name) const;
  const HostConfig& config() const { return config_; }
  World& world() { return world_; }
  atcp_osns& os() { return os_; }
  atcp_ns* core() { return core_; }
  uint16_t index() const { return index_; }
  /// 10.0.x.y, network order.
  uint32_t addr() const { return addr_of(index_); }
  static uint32_t addr_of(uint16_t index);

 private:
  /// What GRO has of one connection and has not handed over yet.
  struct Merger final : Alarm {
    Host* host = nullptr;
    Packet* p = nullptr;

   private:
    void fire() override;
  };
  void merge(Packet* p);
  void flush(Merger& m);
  void input(Packet* p);

  World& world_;
  const HostConfig config_;
  const uint16_t index_;
  uint16_t ip_id_ = 0;
  atcp_osns os_;
  atcp_ns* core_ = nullptr;
  std::map<uint64_t, Merger> mergers_;
};

}  // namespace atcp::sim

#endif  // ATCP_SIM_HOST_H
