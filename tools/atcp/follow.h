// SPDX-License-Identifier: GPL-2.0
//
// Following the event stream until there was enough of it, time is over or the user interrupts.
#ifndef ATCP_TOOL_FOLLOW_H
#define ATCP_TOOL_FOLLOW_H

#include <signal.h>

#include <functional>

#include "client.h"

namespace atcp::tool {

/// SIGINT and SIGTERM end the following instead of the process, from here on to the end of its
/// life; one that came before is not lost.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

  /// Readable when a signal came.
  int descriptor() const { return fd_; }

 private:
  int fd_;
  sigset_t before_;
};

struct Following {
  double seconds = 0;                          ///< 0: without end
  std::function<bool(const Event&)> on_event;  ///< false: that was enough
  double every = 0;                            ///< seconds between two calls of:
  std::function<bool()> on_time;               ///< the same
  std::function<void()> when_quiet = [] {};    ///< nothing more is there to be read now
};

/// The client must have subscribed.
void follow(Client& client, const Following& what);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_FOLLOW_H
