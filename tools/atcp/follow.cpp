// SPDX-License-Identifier: GPL-2.0
//
// One poll() over the event stream, the clock and the user's patience.
#include "follow.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "watch.h"

namespace atcp::tool {
namespace {

uint64_t in_us(double seconds) {
  return static_cast<uint64_t>(seconds * 1e6);
}

/// False: that was enough.
bool hand_over(Client& client, const Following& what) {
  for (const Event& e : client.next_events())
    if (!what.on_event(e)) return false;
  return true;
}

}  // namespace

Interruptible::Interruptible() {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGTERM);
  sigprocmask(SIG_BLOCK, &wanted, &before_);
  fd_ = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) throw Error(std::string("signalfd: ") + std::strerror(errno));
}

Interruptible::~Interruptible() {
  // What came would end the process as soon as it is let through again.
  signalfd_siginfo taken;
  while (read(fd_, &taken, sizeof(taken)) > 0) {
  }
  close(fd_);
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void follow(Client& client, const Following& what) {
  Interruptible signals;
  const uint64_t start = monotonic_us();
  const uint64_t end = what.seconds > 0 ? start + in_us(what.seconds) : ~uint64_t{0};
  uint64_t tick = what.every > 0 ? start : ~uint64_t{0};
  for (;;) {
    if (client.has_early() && !hand_over(client, what)) return;
    uint64_t now = monotonic_us();
    if (now >= end) return;
    if (now >= tick) {
      if (!what.on_time()) return;
      // A sample that took longer than its turn costs the next one, not the events.
      tick = std::max(tick + in_us(what.every), monotonic_us());
      continue;
    }
    uint64_t until = std::min(end, tick);
    int wait_ms = until == ~uint64_t{0} ? -1 : static_cast<int>((until - now) / 1000) + 1;
    pollfd fds[] = {{client.descriptor(), POLLIN, 0}, {signals.descriptor(), POLLIN, 0}};
    if (poll(fds, 2, 0) == 0) {
      what.when_quiet();
      poll(fds, 2, wait_ms);
    }
    if (fds[1].revents) return;
    if (fds[0].revents && !hand_over(client, what)) return;
  }
}

}  // namespace atcp::tool
