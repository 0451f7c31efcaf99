// SPDX-License-Identifier: GPL-2.0
//
// atcp top: frames one after the other on a terminal. Plain ANSI sequences; the terminal is given
// back as it was, also when the tool is interrupted or the kernel refuses something.
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "commands.h"
#include "json.h"
#include "top.h"
#include "watch.h"

namespace atcp::tool {
namespace {

struct TopAsked {
  Words words;
  double seconds = 1;
  bool once = false;
};

volatile sig_atomic_t interrupted = 0;

/// While it lives the terminal shows our screen and hands over keys at once.
class Screen {
 public:
  Screen() {
    if (tcgetattr(STDIN_FILENO, &old_) == 0) {
      termios raw = old_;
      raw.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));
      raw_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    }
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
      std::signal(signal, [](int) { interrupted = 1; });
    std::fputs("\033[?1049h\033[?25l", stdout);
  }
  ~Screen() {
    std::fputs("\033[?25h\033[?1049l", stdout);
    std::fflush(stdout);
    if (raw_) tcsetattr(STDIN_FILENO, TCSANOW, &old_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void show(const Change& change) {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) size = {24, 80, 0, 0};
    // Each line clears what was right of it, the last one what was below: nothing flickers.
    std::string frame = "\033[H";
    for (char c : top_frame(change, size.ws_row > 1 ? size.ws_row - 1u : 1, size.ws_col))
      frame += c == '\n' ? std::string("\033[K\n") : std::string(1, c);
    std::fputs((frame + "\033[J").c_str(), stdout);
    std::fflush(stdout);
  }

  /// True: q was pressed, or a signal came, within that time.
  bool wait_for_end(double seconds) {
    uint64_t end = monotonic_us() + static_cast<uint64_t>(seconds * 1e6);
    while (!interrupted) {
      uint64_t now = monotonic_us();
      if (now >= end) return false;
      pollfd key = {STDIN_FILENO, POLLIN, 0};
      if (poll(&key, 1, static_cast<int>((end - now) / 1000) + 1) <= 0) continue;
      char c = 0;
      ssize_t got = read(STDIN_FILENO, &c, 1);
      if (got <= 0 || c == 'q' || c == 'Q') return true;
    }
    return true;
  }

 private:
  termios old_{};
  bool raw_ = false;
};

int run_top(const Chosen& chosen, const TopAsked& asked) {
  Filter filter = parse_filter(asked.words);
  Client client;
  Sample before = take_sample(client, filter);
  if (asked.once || chosen.json) {
    do {
      sleep_seconds(asked.seconds);
      Sample now = take_sample(client, filter);
      Change change(before, now);
      std::fputs((chosen.json ? json_line(top_json(change)) : top_frame(change, 0, 0)).c_str(),
                 stdout);
      std::fflush(stdout);
      before = std::move(now);
    } while (!asked.once && !std::ferror(stdout));
    return kExitOk;
  }
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
    throw Error("top: it needs a terminal (--once prints one frame, --json a line for each)",
                kExitUsage);
  Screen screen;
  while (!screen.wait_for_end(asked.seconds)) {
    Sample now = take_sample(client, filter);
    screen.show(Change(before, now));
    before = std::move(now);
  }
  return kExitOk;
}

}  // namespace

void add_top_command(Command& app, Chosen& chosen) {
  auto asked = std::make_shared<TopAsked>();
  Command cmd = app.add("top", "a live screen; q ends it");
  cmd.words("FILTER", asked->words, kFilterHelp);
  cmd.real("--seconds", asked->seconds, "between two frames").between(0.1, 3600).with_default();
  cmd.flag("--once", asked->once, "one frame, and no terminal is needed");
  cmd.when_given(
      [&chosen, asked] { chosen.work = [&chosen, asked] { return run_top(chosen, *asked); }; });
}

}  // namespace atcp::tool
