// SPDX-License-Identifier: GPL-2.0
//
// The conversation with the kernel's "atcp" family: one socket, one request at a time. Answers
// come back as the structs of model.h, refusals as Error with the kernel's own words.
#ifndef ATCP_TOOL_CLIENT_H
#define ATCP_TOOL_CLIENT_H

#include <libmnl/libmnl.h>

#include <functional>
#include <memory>
#include <vector>

#include "model.h"

namespace atcp::tool {

class Client {
 public:
  /// Opens the socket and asks for the family. Throws Error if it is not there.
  Client();

  std::vector<Param> params();
  Param param(const std::string& name);
  /// All of them or none.
  void set_params(const std::vector<Setting>& settings);
  std::vector<Socket> sockets();
  std::vector<Listener> listeners();
  std::vector<Counter> counters();
  std::vector<Reason> reasons();
  /// Version of the family.
  uint32_t version() const { return version_; }

 private:
  struct Closer {
    void operator()(mnl_socket* s) const { mnl_socket_close(s); }
  };
  using Handler = std::function<void(const nlmsghdr*)>;

  std::unique_ptr<mnl_socket, Closer> socket_;
  std::vector<char> request_;
  uint32_t seq_ = 0;
  uint16_t family_ = 0;
  uint32_t version_ = 0;

  void find_family();
  /// Starts a message in request_, which has room for `room` bytes of attributes.
  nlmsghdr* start(uint16_t family, uint8_t cmd, uint8_t version, uint16_t flags, size_t room);
  void send(const nlmsghdr* nlh);
  /// Hands every answer to the last request to on_answer until it ends; throws what the kernel
  /// refused, as `what`: MESSAGE (MESSAGE alone if what is empty).
  void receive(const std::string& what, const Handler& on_answer);
  template <class T>
  std::vector<T> dump(const char* what, uint8_t cmd, uint16_t attr, T (*decode)(const nlattr*));
};

}  // namespace atcp::tool

#endif  // ATCP_TOOL_CLIENT_H
