// SPDX-License-Identifier: GPL-2.0
//
// atcp doctor: is everything here that atcp needs, and what is to be typed if not. The facts are
// gathered elsewhere; what they mean is decided by a table of questions, without a look at the host.
#ifndef ATCP_TOOL_DOCTOR_H
#define ATCP_TOOL_DOCTOR_H

#include <optional>
#include <string>
#include <vector>

#include "json_type.h"
#include "module_file.h"

namespace atcp::tool {

/// What is so on this host.
struct Facts {
  std::string release;              ///< of the running kernel
  bool loaded = false;              ///< /sys/module/atcp is there
  std::string load_state;           ///< /sys/module/atcp/initstate: live, coming, going
  std::string taint;                ///< flags by which the module taints the kernel, "OE"
  std::optional<uint32_t> family;   ///< version of the netlink family, if it answers
  uint32_t family_wanted = 0;       ///< that the tool was built for
  std::vector<ModuleFile> files;    ///< that could be loaded
  std::string preload;              ///< path of the preload library; empty: not found
  std::vector<std::string> looked;  ///< where it was looked for
  bool net_admin = false;           ///< CAP_NET_ADMIN
  bool sys_module = false;          ///< CAP_SYS_MODULE
  bool signatures = false;          ///< the kernel loads only signed modules
  std::string lockdown;             ///< none, integrity, confidentiality, or empty
  bool btf = false;                 ///< types of the kernel for bpf
  bool module_btf = false;          ///< and of the module
  bool mptcp = false;               ///< the kernel was built with CONFIG_MPTCP
  bool kunit = false;
  bool nftables = false, conntrack = false;
  uint32_t somaxconn = 0;  ///< net.core.somaxconn, 0 if unknown
  std::string wire;        ///< parameter of this namespace, empty if unknown
};

enum class Grade { kOk, kNote, kMissing };

struct Answer {
  std::string about;
  Grade grade;
  std::string text;
  std::string todo;  ///< what to type; may be empty
};

/// One answer per question, in an order that a person can follow from top to bottom.
std::vector<Answer> diagnose(const Facts& facts);

/// Whether nothing is missing.
bool healthy(const std::vector<Answer>& answers);

std::string doctor_text(const std::vector<Answer>& answers);
Json to_json(const Answer& answer);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_DOCTOR_H
