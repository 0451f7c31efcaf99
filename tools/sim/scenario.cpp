// SPDX-License-Identifier: GPL-2.0
//
// Scenarios from JSON. Every key is known, or the scenario is refused: a misspelt one would silently simulate
// something else. docs/simulation.md describes the format.
#include "scenario.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <stdexcept>

namespace atcp::sim {

namespace {

using Json = nlohmann::json;

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// An object of the scenario, that notes which keys were asked for.
class Object {
 public:
  Object(const Json& j, std::string where) : j_(j), where_(std::move(where)) {
    if (!j.is_object()) throw std::runtime_error(where_ + ": an object is expected");
  }
  const Json* get(const char* key) {
    asked_.insert(key);
    auto it = j_.find(key);
    return it == j_.end() ? nullptr : &*it;
  }
  /// A string, or a number as text.
  bool text(const char* key, std::string* out) {
    const Json* v = get(key);
    if (v == nullptr) return false;
    if (v->is_string())
      *out = v->get<std::string>();
    else if (v->is_number())
      *out = v->dump();
    else
      throw std::runtime_error(where_ + "." + key + ": text or a number is expected");
    return true;
  }
  std::string need(const char* key) {
    std::string s;
    if (!text(key, &s)) throw std::runtime_error(where_ + ": " + key + " is missing");
    return s;
  }
  template <class T>
  void number(const char* key, T* out) {
    const Json* v = get(key);
    if (v == nullptr) return;
    if constexpr (std::is_same_v<T, bool>) {
      if (!v->is_boolean()) throw std::runtime_error(where_ + "." + key + ": true or false");
    } else if (!v->is_number() || v->get<double>() < 0) {
      throw std::runtime_error(where_ + "." + key + ": a number of 0 or more is expected");
    }
    *out = v->get<T>();
  }
  /// A probability.
  void chance(const char* key, double* out) {
    number(key, out);
    if (*out > 1) throw std::runtime_error(where_ + "." + key + ": more than 1");
  }
  template <class F>
  void with(const char* key, F f) {
    std::string s;
    if (!text(key, &s)) return;
    try {
      f(s);
    } catch (const std::exception& e) {
      throw std::runtime_error(where_ + "." + key + ": " + e.what());
    }
  }
  void time(const char* key, Nanos* out) {
    with(key, [&](const std::string& s) { *out = parse_time(s); });
  }
  void seconds(const char* key, double* out) {
    with(key, [&](const std::string& s) { *out = static_cast<double>(parse_time(s)) / 1e9; });
  }
  void bytes(const char* key, uint64_t* out) {
    with(key, [&](const std::string& s) {
      QueueConfig q;
      parse_buffer(s, &q);
      if (q.limit_bytes == ~uint64_t{0}) throw std::runtime_error("bytes are expected");
      *out = q.limit_bytes;
    });
  }
  template <class T, size_t N>
  void choice(const char* key, const std::pair<const char*, T> (&values)[N], T* out) {
    with(key, [&](const std::string& s) {
      for (const auto& [name, value] : values) {
        if (s != name) continue;
        *out = value;
        return;
      }
      throw std::runtime_error("'" + s + "' is not known");
    });
  }
  /// Each element of a list, or the one thing that is there.
  template <class F>
  void each(const char* key, F f) {
    const Json* v = get(key);
    if (v == nullptr) return;
    if (!v->is_array()) {
      f(*v, where_ + "." + key);
      return;
    }
    for (size_t i = 0; i < v->size(); i++)
      f((*v)[i], where_ + "." + key + "[" + std::to_string(i) + "]");
  }
  void done() const {
    for (const auto& [key, value] : j_.items())
      if (asked_.count(key) == 0 && key != "comment")
        throw std::runtime_error(where_ + ": " + key + " is not known");
  }

 private:
  const Json& j_;
  const std::string where_;
  std::set<std::string> asked_;
};

LossConfig parse_loss(const Json& j, const std::string& where, const std::string& base) {
  using L = LossConfig;
  static constexpr std::pair<const char*, L::Kind> kKinds[] = {
      {"bernoulli", L::Kind::Bernoulli},
      {"gilbert-elliott", L::Kind::GilbertElliott},
      {"periodic", L::Kind::Periodic},
      {"range", L::Kind::Range},
      {"trace", L::Kind::Trace}};
  static constexpr std::pair<const char*, L::Only> kOnly[] = {
      {"all", L::Only::All}, {"data", L::Only::Data}, {"acks", L::Only::Acks}};
  LossConfig l;
  if (j.is_number()) {
    l.p = j.get<double>();
    if (l.p < 0 || l.p > 1) throw std::runtime_error(where + ": a probability is expected");
    return l;
  }
  Object o(j, where);
  o.choice("type", kKinds, &l.kind);
  o.choice("only", kOnly, &l.only);
  o.time("after", &l.after);
  o.chance("p", &l.p);
  o.chance("r", &l.r);
  o.chance("loss_good", &l.loss_good);
  o.chance("loss_bad", &l.loss_bad);
  o.number("every", &l.every);
  o.number("first", &l.first);
  o.number("count", &l.count);
  o.with("file", [&](const std::string& s) {
    l.lost = parse_loss_trace(read_file((std::filesystem::path(base) / s).string()));
  });
  o.done();
  return l;
}

QueueConfig parse_queue(const Json& j, const std::string& where, QueueConfig q) {
  using K = QueueConfig::Kind;
  static constexpr std::pair<const char*, K> kKinds[] = {
      {"drop-tail", K::DropTail}, {"step", K::Step}, {"red", K::Red}, {"codel", K::CoDel}};
  Object o(j, where);
  o.choice("type", kKinds, &q.kind);
  o.number("ecn", &q.ecn);
  o.bytes("mark", &q.mark_bytes);
  o.bytes("min", &q.min_bytes);
  o.bytes("max", &q.max_bytes);
  o.chance("max_p", &q.max_p);
  o.chance("weight", &q.weight);
  o.time("target", &q.target);
  o.time("interval", &q.interval);
  o.done();
  return q;
}

/// What o says about one direction, on top of what is there.
void parse_direction(Object& o, const std::string& where, const std::string& base, LinkConfig* l) {
  o.with("rate", [&](const std::string& s) { l->rate = parse_rate(s); });
  o.time("delay", &l->delay);
  o.with("buffer", [&](const std::string& s) { parse_buffer(s, &l->queue); });
  if (const Json* q = o.get("queue")) l->queue = parse_queue(*q, where + ".queue", l->queue);
  o.each("loss", [&](const Json& j, const std::string& at) {
    l->losses.push_back(parse_loss(j, at, base));
  });
  o.chance("duplicate", &l->duplicate);
  o.chance("reorder", &l->reorder);
  o.time("reorder_extra", &l->reorder_extra);
  o.time("jitter", &l->jitter);
  o.time("ack_compress", &l->ack_compress);
}

void parse_link(const Json& j, const std::string& where, const std::string& base, Scenario* s) {
  Object o(j, where);
  LinkConfig there;
  there.from = o.need("from");
  there.to = o.need("to");
  parse_direction(o, where, base, &there);
  LinkConfig back;
  back.from = there.to;
  back.to = there.from;
  back.rate = there.rate;
  back.delay = there.delay;
  if (const Json* r = o.get("reverse")) {
    Object ro(*r, where + ".reverse");
    parse_direction(ro, where + ".reverse", base, &back);
    ro.done();
  }
  o.done();
  s->links.push_back(there);
  s->links.push_back(back);
}

void parse_params(const Json& j, const std::string& where,
                  std::map<std::string, std::string>* out) {
  if (!j.is_object()) throw std::runtime_error(where + ": an object is expected");
  for (const auto& [name, value] : j.items())
    (*out)[name] = value.is_string() ? value.get<std::string>() : value.dump();
}

void parse_hosts(Object& top, Scenario* s) {
  std::map<std::string, std::string> common;
  if (const Json* p = top.get("params")) parse_params(*p, "params", &common);
  top.each("hosts", [&](const Json& j, const std::string& where) {
    HostConfig h;
    h.params = common;
    if (j.is_string()) {
      h.name = j.get<std::string>();
      s->hosts.push_back(h);
      return;
    }
    Object o(j, where);
    h.name = o.need("name");
    if (const Json* p = o.get("params")) parse_params(*p, where + ".params", &h.params);
    o.number("mtu", &h.mtu);
    o.time("gro", &h.gro);
    o.number("rcvbuf", &h.rcvbuf);
    o.number("sndbuf", &h.sndbuf);
    o.done();
    s->hosts.push_back(h);
  });
}

AppConfig parse_app(const Json& j, const std::string& where) {
  using K = AppConfig::Kind;
  static constexpr std::pair<const char*, K> kKinds[] = {
      {"bulk", K::Bulk}, {"requests", K::Requests}, {"on-off", K::OnOff}};
  AppConfig a;
  Object o(j, where);
  o.choice("type", kKinds, &a.kind);
  o.bytes("bytes", &a.bytes);
  o.bytes("request", &a.request);
  o.bytes("response", &a.response);
  o.number("count", &a.count);
  o.seconds("think", &a.think);
  o.seconds("on", &a.on);
  o.seconds("off", &a.off);
  o.done();
  if (a.request == 0 || a.response == 0) throw std::runtime_error(where + ": nothing to send");
  return a;
}

void parse_flow(const Json& j, const std::string& where, Scenario* s) {
  FlowConfig f;
  Object o(j, where);
  f.from = o.need("from");
  f.to = o.need("to");
  o.text("cc", &f.cc);
  o.number("count", &f.count);
  o.time("start", &f.start);
  o.time("stagger", &f.stagger);
  o.time("stop", &f.stop);
  o.number("sndbuf", &f.sndbuf);
  o.number("rcvbuf", &f.rcvbuf);
  if (const Json* a = o.get("app")) f.app = parse_app(*a, where + ".app");
  o.done();
  s->flows.push_back(f);
}

}  // namespace

Scenario parse_scenario(const std::string& text, const std::string& base) {
  const Json j = Json::parse(text, nullptr, true, true);
  Scenario s;
  Object o(j, "scenario");
  o.text("name", &s.name);
  o.number("seed", &s.seed);
  o.time("duration", &s.duration);
  o.time("warmup", &s.warmup);
  parse_hosts(o, &s);
  o.each("links", [&](const Json& l, const std::string& at) { parse_link(l, at, base, &s); });
  o.each("flows", [&](const Json& f, const std::string& at) { parse_flow(f, at, &s); });
  if (const Json* out = o.get("output")) {
    Object oo(*out, "output");
    oo.text("csv", &s.output.csv);
    oo.time("interval", &s.output.interval);
    oo.text("pcap", &s.output.pcap);
    oo.text("pcap_host", &s.output.pcap_host);
    oo.text("plot", &s.output.plot);
    oo.number("flows", &s.output.flows);
    oo.done();
  }
  o.done();
  return s;
}

Scenario load_scenario(const std::string& path) {
  try {
    return parse_scenario(read_file(path), std::filesystem::path(path).parent_path().string());
  } catch (const nlohmann::json::exception& e) {
    throw std::runtime_error(path + ": " + e.what());
  } catch (const std::runtime_error& e) {
    throw std::runtime_error(path + ": " + e.what());
  }
}

}  // namespace atcp::sim
