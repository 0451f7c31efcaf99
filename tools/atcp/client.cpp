// SPDX-License-Identifier: GPL-2.0
//
// The netlink side of the tool: requests out, answers in, errors into words. What stands in the
// answers is decode.cpp's business.
#include "client.h"

#include <linux/atcp.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <cerrno>
#include <cstring>

#include "decode.h"
#include "settings.h"

namespace atcp::tool {
namespace {

/// Thrown inside this file, so that the caller may word an errno better than the kernel does.
class KernelError : public Error {
 public:
  KernelError(const std::string& text, int err) : Error(text), err_(err) {}
  int err() const { return err_; }

 private:
  int err_;
};

std::string refusal(const std::string& what, int err, const std::string& extack) {
  std::string why = std::strerror(err);
  if (!extack.empty())
    why = extack;
  else if (err == EPERM)
    why = "not permitted; it takes CAP_NET_ADMIN in this network namespace";
  return what.empty() ? why : what + ": " + why;
}

/// The errno in an NLMSG_ERROR or in the NLMSG_DONE of a dump; 0 if all is well.
int errno_of(const nlmsghdr* nlh) {
  if (mnl_nlmsg_get_payload_len(nlh) < sizeof(int)) return 0;
  int err;
  std::memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
  return -err;
}

/// The nest of an event, if this is one that nobody asked for by a request.
const nlattr* event_in(const nlmsghdr* nlh) {
  if (nlh->nlmsg_seq != 0 || nlh->nlmsg_type < NLMSG_MIN_TYPE) return nullptr;
  const auto* genl = static_cast<const genlmsghdr*>(mnl_nlmsg_get_payload(nlh));
  return genl->cmd == ATCP_CMD_EVENT_NTF ? find_attr(nlh, ATCP_A_EVENT) : nullptr;
}

constexpr size_t kDatagram = 65536;     ///< a dump's messages are at most 32 KB
constexpr int kEventBuffer = 16 << 20;  ///< bytes of events that may wait for the tool

}  // namespace

Client::Client() : socket_(mnl_socket_open(NETLINK_GENERIC)) {
  if (!socket_) throw Error(std::string("cannot open a netlink socket: ") + std::strerror(errno));
  int on = 1;
  // Kernels without these still answer, in fewer words.
  mnl_socket_setsockopt(socket_.get(), NETLINK_EXT_ACK, &on, sizeof(on));
  mnl_socket_setsockopt(socket_.get(), NETLINK_CAP_ACK, &on, sizeof(on));
  if (mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    throw Error(std::string("cannot bind a netlink socket: ") + std::strerror(errno));
  find_family();
}

void Client::find_family() {
  nlmsghdr* nlh = start(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK, 64);
  mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, ATCP_GENL_NAME);
  send(nlh);
  try {
    receive("netlink", [this](const nlmsghdr* answer) {
      if (const nlattr* id = find_attr(answer, CTRL_ATTR_FAMILY_ID)) family_ = mnl_attr_get_u16(id);
      if (const nlattr* version = find_attr(answer, CTRL_ATTR_VERSION))
        version_ = mnl_attr_get_u32(version);
    });
  } catch (const KernelError& e) {
    if (e.err() != ENOENT) throw;
  }
  if (family_ == 0)
    throw Error(
        "the kernel has no atcp netlink family; is the module loaded? (atcp load; atcp doctor "
        "tells more)");
}

nlmsghdr* Client::start(uint16_t family, uint8_t cmd, uint8_t version, uint16_t flags,
                        size_t room) {
  request_.assign(MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(genlmsghdr)) + room, 0);
  nlmsghdr* nlh = mnl_nlmsg_put_header(request_.data());
  nlh->nlmsg_type = family;
  nlh->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  nlh->nlmsg_seq = ++seq_;
  auto* genl = static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(nlh, sizeof(genlmsghdr)));
  genl->cmd = cmd;
  genl->version = version;
  return nlh;
}

void Client::send(const nlmsghdr* nlh) {
  if (mnl_socket_sendto(socket_.get(), nlh, nlh->nlmsg_len) < 0)
    throw Error(std::string("cannot send to the kernel: ") + std::strerror(errno));
}

void Client::receive(const std::string& what, const Handler& on_answer) {
  std::vector<char> buf(kDatagram);
  for (;;) {
    ssize_t got = mnl_socket_recvfrom(socket_.get(), buf.data(), buf.size());
    if (got < 0) throw Error(what + ": " + std::strerror(errno));
    int left = static_cast<int>(got);
    for (auto* nlh = reinterpret_cast<const nlmsghdr*>(buf.data()); mnl_nlmsg_ok(nlh, left);
         nlh = mnl_nlmsg_next(nlh, &left)) {
      if (const nlattr* event = event_in(nlh)) early_.push_back(decode_event(event));
      if (nlh->nlmsg_seq != seq_) continue;  // the rest of an answer that was given up
      if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
        if (int err = errno_of(nlh)) throw KernelError(refusal(what, err, extack_text(nlh)), err);
        return;
      }
      if (nlh->nlmsg_type >= NLMSG_MIN_TYPE) on_answer(nlh);
    }
  }
}

template <class T>
std::vector<T> Client::dump(const char* what, uint8_t cmd, uint16_t attr,
                            T (*decode)(const nlattr*), const Filter& filter) {
  nlmsghdr* request = start(family_, cmd, ATCP_GENL_VERSION, NLM_F_DUMP, kFilterRoom);
  put_filter(request, filter);
  send(request);
  return rows(what, attr, decode);
}

template <class T>
std::vector<T> Client::rows(const char* what, uint16_t attr, T (*decode)(const nlattr*)) {
  std::vector<T> found;
  receive(what, [&](const nlmsghdr* nlh) {
    if (const nlattr* nest = find_attr(nlh, attr)) found.push_back(decode(nest));
  });
  return found;
}

void Client::put_id(nlmsghdr* nlh, uint64_t socket) {
  if (socket) mnl_attr_put_u64(nlh, ATCP_A_ID, socket);
}

std::vector<Param> Client::params(uint64_t socket) {
  nlmsghdr* nlh = start(family_, ATCP_CMD_PARAM_GET, ATCP_GENL_VERSION, NLM_F_DUMP, 64);
  put_id(nlh, socket);
  send(nlh);
  return rows("reading parameters", ATCP_A_PARAM, decode_param);
}

Param Client::param(const std::string& name, uint64_t socket) {
  nlmsghdr* nlh =
      start(family_, ATCP_CMD_PARAM_GET, ATCP_GENL_VERSION, NLM_F_ACK, name.size() + 64);
  put_id(nlh, socket);
  nlattr* nest = mnl_attr_nest_start(nlh, ATCP_A_PARAM);
  mnl_attr_put_strz(nlh, ATCP_PARAM_A_NAME, name.c_str());
  mnl_attr_nest_end(nlh, nest);
  send(nlh);
  Param found;
  receive("reading " + name, [&](const nlmsghdr* answer) {
    if (const nlattr* param = find_attr(answer, ATCP_A_PARAM)) found = decode_param(param);
  });
  return found;
}

void Client::reset_socket(const std::vector<std::string>& names, uint64_t socket) {
  size_t room = 64;
  for (const std::string& name : names)
    room += name.size() + 32;
  nlmsghdr* nlh = start(family_, ATCP_CMD_PARAM_RESET, ATCP_GENL_VERSION, NLM_F_ACK, room);
  put_id(nlh, socket);
  for (const std::string& name : names) {
    nlattr* nest = mnl_attr_nest_start(nlh, ATCP_A_PARAM);
    mnl_attr_put_strz(nlh, ATCP_PARAM_A_NAME, name.c_str());
    mnl_attr_nest_end(nlh, nest);
  }
  send(nlh);
  receive("cannot reset", [](const nlmsghdr*) {});
}

void Client::set_params(const std::vector<Setting>& settings, uint64_t socket) {
  size_t room = 64;
  for (const Setting& s : settings)
    room += s.name.size() + s.value.size() + 64;
  nlmsghdr* nlh = start(family_, ATCP_CMD_PARAM_SET, ATCP_GENL_VERSION, NLM_F_ACK, room);
  put_id(nlh, socket);
  for (const Setting& s : settings) {
    nlattr* nest = mnl_attr_nest_start(nlh, ATCP_A_PARAM);
    mnl_attr_put_strz(nlh, ATCP_PARAM_A_NAME, s.name.c_str());
    mnl_attr_put_strz(nlh, ATCP_PARAM_A_VALUE, s.value.c_str());
    mnl_attr_nest_end(nlh, nest);
  }
  send(nlh);
  try {
    receive("", [](const nlmsghdr*) {});
  } catch (const KernelError& e) {
    throw Error(set_refusal(settings, e.what()));
  }
}

std::vector<Socket> Client::sockets(const Filter& filter) {
  return dump("reading sockets", ATCP_CMD_SOCKET_GET, ATCP_A_SOCKET, decode_socket, filter);
}

std::vector<Listener> Client::listeners(const Filter& filter) {
  return dump("reading listeners", ATCP_CMD_LISTENER_GET, ATCP_A_LISTENER, decode_listener, filter);
}

Socket Client::socket(uint64_t id) {
  nlmsghdr* nlh = start(family_, ATCP_CMD_SOCKET_GET, ATCP_GENL_VERSION, NLM_F_ACK, 64);
  mnl_attr_put_u64(nlh, ATCP_A_ID, id);
  send(nlh);
  Socket found;
  try {
    receive("reading a socket", [&](const nlmsghdr* answer) {
      if (const nlattr* nest = find_attr(answer, ATCP_A_SOCKET)) found = decode_socket(nest);
    });
  } catch (const KernelError& e) {
    if (e.err() != ENOENT) throw;
    throw Error("there is no socket with ID " + std::to_string(id) + " (atcp sockets shows them)");
  }
  return found;
}

uint32_t Client::kill(const Filter& filter) {
  nlmsghdr* nlh = start(family_, ATCP_CMD_SOCKET_KILL, ATCP_GENL_VERSION, NLM_F_ACK, kFilterRoom);
  put_filter(nlh, filter);
  send(nlh);
  uint32_t count = 0;
  receive("kill", [&](const nlmsghdr* answer) {
    if (const nlattr* n = find_attr(answer, ATCP_A_COUNT)) count = mnl_attr_get_u32(n);
  });
  return count;
}

std::vector<Cc> Client::ccs() {
  return dump("reading congestion controls", ATCP_CMD_CC_GET, ATCP_A_CC, decode_cc);
}

Tables Client::tables() {
  send(start(family_, ATCP_CMD_TABLES_GET, ATCP_GENL_VERSION, NLM_F_ACK, 0));
  Tables found;
  receive("reading tables", [&](const nlmsghdr* answer) {
    if (const nlattr* nest = find_attr(answer, ATCP_A_TABLES)) found = decode_tables(nest);
  });
  return found;
}

std::vector<Counter> Client::counters() {
  return dump("reading counters", ATCP_CMD_COUNTER_GET, ATCP_A_COUNTER, decode_counter);
}

std::vector<Reason> Client::reasons() {
  return dump("reading reasons", ATCP_CMD_REASON_GET, ATCP_A_REASON, decode_reason);
}

std::vector<Record> Client::records(const Filter& filter) {
  return dump("reading closing records", ATCP_CMD_RECORD_GET, ATCP_A_RECORD, decode_record, filter);
}

void Client::subscribe(const Filter& filter) {
  // As much as one may have: without the right to more, what the system allows everybody.
  if (setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUFFORCE, &kEventBuffer, sizeof(kEventBuffer)) < 0)
    setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUF, &kEventBuffer, sizeof(kEventBuffer));
  nlmsghdr* nlh =
      start(family_, ATCP_CMD_EVENT_SUBSCRIBE, ATCP_GENL_VERSION, NLM_F_ACK, kFilterRoom);
  put_filter(nlh, filter);
  send(nlh);
  receive("subscribing to events", [](const nlmsghdr*) {});
}

std::vector<Event> Client::next_events() {
  std::vector<Event> found = std::move(early_);
  early_.clear();
  if (!found.empty()) return found;
  std::vector<char> buf(kDatagram);
  ssize_t got = mnl_socket_recvfrom(socket_.get(), buf.data(), buf.size());
  // What did not fit is told by an event of its own.
  if (got < 0 && (errno == ENOBUFS || errno == EINTR)) return found;
  if (got < 0) throw Error(std::string("reading events: ") + std::strerror(errno));
  int left = static_cast<int>(got);
  for (auto* nlh = reinterpret_cast<const nlmsghdr*>(buf.data()); mnl_nlmsg_ok(nlh, left);
       nlh = mnl_nlmsg_next(nlh, &left))
    if (const nlattr* event = event_in(nlh)) found.push_back(decode_event(event));
  return found;
}

}  // namespace atcp::tool
