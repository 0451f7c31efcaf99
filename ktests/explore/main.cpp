// SPDX-License-Identifier: GPL-2.0
//
// The search: depth first, from snapshot to snapshot; a state seen before is not gone on from. What it finds it
// prints as a path that --replay takes again.
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <unordered_map>

#include <vector>

#include "explore/actions.h"
#include "explore/judge.h"

namespace atcp::explore {
namespace {

constexpr uint32_t kMaxDepth = 600;
constexpr uint32_t kMaxStates = 12000000;  ///< of one search: several times those of the deepest

double seconds() {
  using clock = std::chrono::steady_clock;
  static const clock::time_point begin = clock::now();
  return std::chrono::duration<double>(clock::now() - begin).count();
}

/// Numbers of states, open addressing; 0 is no number.
class Seen {
 public:
  Seen() : slots_(1 << 16) {}
  /// False: it was there.
  bool insert(uint64_t v) {
    if (v == 0) v = 1;
    if ((n_ + 1) * 2 > slots_.size()) grow();
    if (!put(slots_, v)) return false;
    n_++;
    return true;
  }
  size_t size() const { return n_; }

 private:
  static bool put(std::vector<uint64_t>& slots, uint64_t v) {
    const size_t mask = slots.size() - 1;
    for (size_t i = v & mask;; i = (i + 1) & mask) {
      if (slots[i] == v) return false;
      if (slots[i] == 0) {
        slots[i] = v;
        return true;
      }
    }
  }
  void grow() {
    std::vector<uint64_t> larger(slots_.size() * 2);
    for (const uint64_t v : slots_)
      if (v != 0) put(larger, v);
    slots_.swap(larger);
  }
  std::vector<uint64_t> slots_;
  size_t n_ = 0;
};

class Snapshot {
 public:
  void take() {
    heap_unpoison();
    bytes_ = offsetof(World, heap) + g_world.heap_used;
    if (copy_.size() < bytes_) copy_.resize(bytes_ + 4096);
    memcpy(copy_.data(), &g_world, bytes_);
    heap_poison();
  }
  void restore() const {
    heap_unpoison();
    memcpy(static_cast<void*>(&g_world), copy_.data(), bytes_);
    heap_poison();
  }

 private:
  std::vector<uint8_t> copy_;
  size_t bytes_ = 0;
};

struct Frame {
  Snapshot at;
  std::vector<Action> next;
  size_t taken = 0;
  uint64_t number = 0;
  bool idle = false;  ///< nothing on its way and no program has anything to do
};

struct Result {
  uint64_t states = 0, steps = 0, ends = 0;
  uint32_t deepest = 0;
  std::string failure, path;
};

class Search {
 public:
  Search(const Scenario& s, const Budget& budget) : s_(s), budget_(budget) {}

  Result run() {
    g_broken.clear();
    begin(s_, budget_);
    quiesce();
    judge_state();
    visit();
    while (depth_ != 0 && g_broken.empty()) {
      Frame& f = *frames_[depth_ - 1];
      if (f.taken == f.next.size()) {
        on_path_.erase(f.number);
        depth_--;
        continue;
      }
      if (f.taken != 0) f.at.restore();
      act(s_, f.next[f.taken++]);
      r_.steps++;
      judge_state();
      if (g_broken.empty()) visit();
      if ((r_.steps & 0x3fff) == 0) progress();
    }
    if (!g_broken.empty()) {
      r_.failure = g_broken;
      r_.path = path();
    }
    return r_;
  }

 private:
  /// The world is in a state: look whether it is a new one, and if so go on from there later.
  void visit() {
    const uint64_t number = fingerprint();
    if (!seen_.insert(number)) {
      const auto before = on_path_.find(number);
      if (before != on_path_.end()) judge_circle(before->second);
      return;
    }
    r_.states++;
    r_.deepest = std::max(r_.deepest, depth_);
    if (r_.states > kMaxStates) {
      broken(
          "more than %u states: is there a time or an address in Tcb that fingerprint.cpp does not "
          "know?",
          kMaxStates);
      return;
    }
    if (depth_ == kMaxDepth) {
      broken("no end after %u steps", kMaxDepth);
      return;
    }
    if (depth_ == frames_.size()) frames_.push_back(std::make_unique<Frame>());
    Frame& f = *frames_[depth_];
    possible(s_, &f.next);
    if (f.next.empty()) {
      r_.ends++;
      judge_end(s_);
      return;
    }
    f.taken = 0;
    f.number = number;
    f.idle = network_empty() && std::none_of(f.next.begin(), f.next.end(),
                                             [](const Action& a) { return a.what == 'p'; });
    if (f.next.size() > 1) f.at.take();
    on_path_[number] = depth_;
    depth_++;
  }

  /// Back in a state of this path. If its circle leads through one in which nothing but a timer could go
  /// on, both ends can go round in it for ever.
  void judge_circle(uint32_t from) {
    for (uint32_t i = from; i < depth_; i++)
      if (frames_[i]->idle) {
        broken("it goes round in circles of %u steps", depth_ - from);
        return;
      }
  }

  std::string path() const {
    std::string out = std::string(s_.name) + ":";
    for (uint32_t i = 0; i < depth_; i++) {
      const Frame& f = *frames_[i];
      if (f.taken == 0) break;
      const Action a = f.next[f.taken - 1];
      out += (i != 0 ? "," : "") + std::string(1, a.what) + std::to_string(a.n);
    }
    return out;
  }

  void progress() {
    // On a terminal one line that changes, elsewhere now and then a line.
    static const bool terminal = isatty(2) != 0;
    const double now = seconds();
    if (now - told_ < (terminal ? 1 : 30)) return;
    told_ = now;
    fprintf(stderr, "%sexplore: %-16s %9llu states %5.0f s %s", terminal ? "\r" : "", s_.name,
            static_cast<unsigned long long>(r_.states), now, terminal ? "" : "\n");
    fflush(stderr);
  }

  const Scenario& s_;
  const Budget budget_;
  Seen seen_;
  std::unordered_map<uint64_t, uint32_t> on_path_;
  std::vector<std::unique_ptr<Frame>> frames_;
  uint32_t depth_ = 0;
  double told_ = seconds();
  Result r_;
};

const Scenario* find(const std::string& name) {
  for (uint32_t i = 0; i < kScenarioCount; i++)
    if (name == kScenarios[i].name) return &kScenarios[i];
  return nullptr;
}

/// Take a path again. Returns what was wrong at its end, or nothing.
std::string replay(const std::string& text, bool talk) {
  const size_t colon = text.find(':');
  const Scenario* s = find(text.substr(0, colon));
  if (s == nullptr || colon == std::string::npos) return "no such scenario";
  g_broken.clear();
  g_tell = talk;
  tell("%s: %s\n", s->name, s->about);
  Budget any = {};
  any.segments = any.drops = kNoLimit;
  begin(*s, any);
  quiesce();
  judge_state();
  std::vector<Action> next;
  for (size_t at = colon + 1; at < text.size() && g_broken.empty();) {
    const Action a = {text[at], static_cast<uint8_t>(atoi(text.c_str() + at + 1))};
    // What costs is allowed here without a budget; everything else must be possible.
    g_world.left = {kNoLimit, kNoLimit, 200, 200, 200};
    possible(*s, &next);
    const auto same = [a](const Action& b) { return a.what == b.what && a.n == b.n; };
    const bool held =
        std::any_of(next.begin(), next.end(), same) ||
        ((a.what == 'x' || a.what == 'u' || a.what == 'h') && next_for(a.n) != nullptr);
    if (!held) return "the path does not fit these sources: step " + text.substr(at, 3);
    tell("%s\n", explain(*s, a).c_str());
    act(*s, a);
    judge_state();
    for (uint32_t side = 0; side < kSides; side++)
      if (const std::string line = show(side); !line.empty()) tell("      %s\n", line.c_str());
    at = text.find(',', at);
    if (at == std::string::npos) break;
    at++;
  }
  g_world.left = {};
  possible(*s, &next);
  if (g_broken.empty() && next.empty()) {
    tell("nothing can happen any more\n");
    judge_end(*s);
  }
  g_tell = false;
  return g_broken;
}

std::string text_of(const Budget& b) {
  const auto limit = [](uint8_t v) {
    return v == kNoLimit ? std::string("any") : std::to_string(v);
  };
  return limit(b.segments) + "/" + limit(b.drops) + "/" + std::to_string(b.doubles) + "/" +
         std::to_string(b.delays) + "/" + std::to_string(b.early);
}

/// One search and its line.
Result table_row(const Scenario& s, const Budget& b) {
  const double begin = seconds();
  const Result r = Search(s, b).run();
  if (isatty(2)) fprintf(stderr, "\r%60s\r", "");
  printf("%-16s %9llu %10llu %8llu %5u %6.1f  %s\n", s.name,
         static_cast<unsigned long long>(r.states), static_cast<unsigned long long>(r.steps),
         static_cast<unsigned long long>(r.ends), r.deepest, seconds() - begin, text_of(b).c_str());
  if (!r.failure.empty())
    printf("  FAILED: %s\n  --replay %s\n", r.failure.c_str(), r.path.c_str());
  fflush(stdout);
  return r;
}

enum class Bounds : uint8_t { Quick, Full, Deep };

/// More of everything that the full run may do to segments.
Budget deeper(Budget b) {
  if (b.segments < kNoLimit) b.segments++;
  if (b.drops < kNoLimit) b.drops++;
  return b;
}

/// All scenarios (or one). Returns how many failed.
uint32_t explore(Bounds bounds, const char* only, uint64_t at_least) {
  uint64_t states = 0, steps = 0, ends = 0;
  uint32_t failed = 0, n = 0;
  printf("%-16s %9s %10s %8s %5s %6s  %s\n", "scenario", "states", "steps", "ends", "depth", "s",
         "first n segments / drops / doubles / delays / early timers");
  for (uint32_t i = 0; i < kScenarioCount; i++) {
    const Scenario& s = kScenarios[i];
    if (only != nullptr && strcmp(only, s.name) != 0) continue;
    for (const Budget& b : s.full) {
      if (&b != s.full && (bounds == Bounds::Quick || b.segments == 0)) continue;
      // What has no limit has been explored to its end.
      if (bounds == Bounds::Deep && b.segments == kNoLimit) continue;
      const Result r = table_row(s, bounds == Bounds::Quick  ? s.quick
                                    : bounds == Bounds::Deep ? deeper(b)
                                                             : b);
      states += r.states;
      steps += r.steps;
      ends += r.ends;
      n++;
      if (!r.failure.empty()) failed++;
    }
  }
  printf("explore: %u searches, %llu states, %llu steps, %llu ends, %.0f s\n", n,
         static_cast<unsigned long long>(states), static_cast<unsigned long long>(steps),
         static_cast<unsigned long long>(ends), seconds());
  if (only == nullptr && failed == 0 && states < at_least) {
    printf("explore: fewer than %llu states\n", static_cast<unsigned long long>(at_least));
    failed++;
  }
  return failed;
}

struct Proof {
  Sabotage what;
  const char* name;
  const char* scenario;
  const char* complaint;  ///< part of what must be found
};
constexpr Proof kProofs[] = {
    {Sabotage::LostTimer, "a forgotten timer", "leaving", "timer"},
    {Sabotage::TwiceTold, "data delivered twice", "echo", "is not the one that was written"},
    {Sabotage::SwappedBytes, "bytes that changed places", "echo",
     "is not the one that was written"},
    {Sabotage::Leak, "an entry that is not freed", "handshake", "leaked"},
    {Sabotage::DeafListener, "a third ACK that is never heard", "handshake", ""},
    {Sabotage::LostWheel, "a wheel that stands still", "handshake", "left without a timer"},
    {Sabotage::LyingAck, "acknowledgements of what did not arrive", "leaving", ""},
};

/// Each fault of the port must be found, and found again by the path that was printed. Returns how many were not.
uint32_t prove() {
  uint32_t failed = 0;
  for (const Proof& p : kProofs) {
    g_sabotage = p.what;
    const Scenario& s = *find(p.scenario);
    const Result r = Search(s, s.quick).run();
    const std::string again = r.failure.empty() ? "" : replay(r.path, false);
    g_sabotage = Sabotage::None;
    const bool found = !r.failure.empty() && r.failure.find(p.complaint) != std::string::npos;
    const bool repeated = found && again == r.failure;
    printf("explore: %s: %s after %llu states: %s\n", p.name,
           !found ? "NOT FOUND" : (repeated ? "found and repeated" : "NOT REPEATED"),
           static_cast<unsigned long long>(r.states), r.failure.c_str());
    if (!repeated) {
      printf("  path %s\n  repeated: %s\n", r.path.c_str(), again.c_str());
      failed++;
    }
  }
  return failed;
}

/// The friendly path: programs at once, segments in their order, timers when nothing else is left.
std::string friendly(const Scenario& s) {
  begin(s, {});
  quiesce();
  std::string out = std::string(s.name) + ":";
  std::vector<Action> next;
  for (uint32_t i = 0; i < kMaxDepth; i++) {
    possible(s, &next);
    const auto at =
        std::find_if(next.begin(), next.end(), [](const Action& a) { return a.what != 'r'; });
    if (at == next.end()) break;
    out += (i != 0 ? "," : "") + std::string(1, at->what) + std::to_string(at->n);
    act(s, *at);
  }
  return out;
}

int usage() {
  fprintf(stderr,
          "explore [--quick|--deep] [SCENARIO]   all paths within the scenario's bounds\n"
          "explore --replay PATH          one path, told step by step\n"
          "explore --friendly SCENARIO    the path without any mishap, told likewise\n"
          "explore --prove                faults of the port must be found\n"
          "explore --list                 the scenarios\n");
  return 2;
}

int run(int argc, char** argv) {
  Bounds bounds = Bounds::Full;
  const char* only = nullptr;
  for (int i = 1; i < argc; i++) {
    const std::string arg = argv[i];
    if (arg == "--quick") {
      bounds = Bounds::Quick;
    } else if (arg == "--deep") {
      bounds = Bounds::Deep;
    } else if (arg == "--prove") {
      return prove() == 0 ? 0 : 1;
    } else if (arg == "--list") {
      for (uint32_t k = 0; k < kScenarioCount; k++)
        printf("%-16s %s\n", kScenarios[k].name, kScenarios[k].about);
      return 0;
    } else if (i + 1 < argc &&
               (arg == "--replay" || (arg == "--friendly" && find(argv[i + 1]) != nullptr))) {
      const std::string path = arg == "--replay" ? argv[i + 1] : friendly(*find(argv[i + 1]));
      const std::string what = replay(path, true);
      printf("%s\n", what.empty() ? "nothing wrong" : ("BROKEN: " + what).c_str());
      return what.empty() ? 0 : 1;
    } else if (find(arg) != nullptr) {
      only = argv[i];
    } else {
      return usage();
    }
  }
  const uint32_t failed = explore(bounds, only, bounds == Bounds::Quick ? 0 : 1000000);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace atcp::explore

int main(int argc, char** argv) {
  return atcp::explore::run(argc, argv);
}
