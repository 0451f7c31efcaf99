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

#include "filter.h"
#include "model.h"

namespace atcp::tool {

class Client {
 public:
  /// Opens the socket and asks for the family. Throws Error if it is not there.
  Client();

  /// Of the namespace; with the cookie of a socket, as they are for that one, and where from.
  std::vector<Param> params(uint64_t socket = 0);
  Param param(const std::string& name, uint64_t socket = 0);
  /// All of them or none.
  void set_params(const std::vector<Setting>& settings, uint64_t socket = 0);
  /// Takes the settings of one socket back, those named or all.
  void reset_socket(const std::vector<std::string>& names, uint64_t socket);
  /// Those that the kernel lets through; all for an empty filter.
  std::vector<Socket> sockets(const Filter& filter = {});
  std::vector<Listener> listeners(const Filter& filter = {});
  /// One socket in full, by its cookie.
  Socket socket(uint64_t id);
  /// Resets what the filter lets through; how many that were. The filter may not be empty.
  uint32_t kill(const Filter& filter);
  std::vector<Cc> ccs();
  Tables tables();
  std::vector<Counter> counters();
  std::vector<Reason> reasons();
  /// What became of connections that have ended, the oldest first.
  std::vector<Record> records(const Filter& filter = {});
  /// From now on this client gets events; ask nothing else of it.
  void subscribe(const Filter& filter);
  /// Readable when there are events that next_events() has not returned yet, unless some came
  /// before the subscription was answered: has_early().
  int descriptor() const { return mnl_socket_get_fd(socket_.get()); }
  bool has_early() const { return !early_.empty(); }
  /// The events of one datagram; waits until there is one. That some could not be delivered is an
  /// event of its own.
  std::vector<Event> next_events();
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
  std::vector<Event> early_;  ///< came before the answer to subscribe

  void find_family();
  /// Starts a message in request_, which has room for `room` bytes of attributes.
  nlmsghdr* start(uint16_t family, uint8_t cmd, uint8_t version, uint16_t flags, size_t room);
  void send(const nlmsghdr* nlh);
  /// Hands every answer to the last request to on_answer until it ends; throws what the kernel
  /// refused, as `what`: MESSAGE (MESSAGE alone if what is empty).
  void receive(const std::string& what, const Handler& on_answer);
  template <class T>
  std::vector<T> dump(const char* what, uint8_t cmd, uint16_t attr, T (*decode)(const nlattr*),
                      const Filter& filter = {});
  /// The answers to a dump that was sent.
  template <class T>
  std::vector<T> rows(const char* what, uint16_t attr, T (*decode)(const nlattr*));
  static void put_id(nlmsghdr* nlh, uint64_t socket);
};

}  // namespace atcp::tool

#endif  // ATCP_TOOL_CLIENT_H
