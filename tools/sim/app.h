// SPDX-License-Identifier: GPL-2.0
//
// A flow: the programs at its two ends and what they do (bulk, request and response, on and off), and what they got. And
// the listener of a host that hands connections to their flows.
#ifndef ATCP_SIM_APP_H
#define ATCP_SIM_APP_H

#include <unordered_map>
#include <vector>

#include "scenario.h"

namespace atcp::sim {

class Flow final : public Program, public Alarm {
 public:
  Flow(World& world, const FlowConfig& config, uint32_t id, Nanos start, Host& from, Host& to,
       Random random);

  void on_event(Conn& c, uint32_t events) override;
  void on_accept(Conn&, Conn&) override {}
  /// The server's side is there.
  void accepted(Conn& child);

  uint32_t id() const { return id_; }
  const FlowConfig& config() const { return config_; }
  /// The end that sends the data; nullptr as long as it does not exist, and when it is gone.
  Conn* sender() const;
  /// Payload that has reached the program it is for.
  uint64_t delivered() const;
  Nanos started() const { return started_; }
  Nanos connected() const { return connected_; }  ///< 0: not yet
  Nanos finished() const { return finished_; }    ///< all was delivered; 0: not yet
  bool failed() const { return failed_; }
  /// Of the sender, now or when it was last there.
  const atcp_conn_info& info();
  /// The algorithm in use.
  const char* cc() const;
  /// Seconds from each request to the end of its answer.
  const std::vector<double>& latencies() const { return latencies_; }

 private:
  void fire() override;
  void start();
  void client_event(uint32_t events);
  void server_event(uint32_t events);
  /// Bulk and OnOff: as much as there is room for.
  void pump();
  void ask();
  void answer();
  void close_all();

  World& world_;
  const FlowConfig config_;
  const uint32_t id_;
  Host& from_;
  Host& to_;
  Random random_;
  Conn* client_ = nullptr;
  Conn* server_ = nullptr;
  Nanos started_ = 0, connected_ = 0, finished_ = 0;
  bool failed_ = false;
  bool all_written_ = false;
  // OnOff.
  bool on_ = false;
  // Requests.
  uint64_t asked_ = 0;     ///< requests sent
  uint64_t to_write_ = 0;  ///< bytes of answers that the server still has to write
  Nanos asked_at_ = 0;
  std::vector<double> latencies_;
  atcp_conn_info info_ = {};
};

/// The listener of one host, for all flows to it.
class Server final : public Program {
 public:
  static constexpr uint16_t kPort = 5001;
  explicit Server(Host& host) { host.listen(kPort, *this); }
  void on_event(Conn&, uint32_t) override {}
  void on_accept(Conn& listener, Conn& child) override;
  /// The connection from there belongs to this flow.
  void expect(uint32_t addr, uint16_t port, Flow& flow) { flows_[key(addr, port)] = &flow; }

 private:
  static uint64_t key(uint32_t addr, uint16_t port) {
    return static_cast<uint64_t>(addr) << 16 | port;
  }
  std::unordered_map<uint64_t, Flow*> flows_;
};

}  // namespace atcp::sim

#endif  // ATCP_SIM_APP_H
