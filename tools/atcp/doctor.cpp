// SPDX-License-Identifier: GPL-2.0
//
// The questions of atcp doctor, one function each, and how their answers are shown.
#include "doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "json.h"

namespace atcp::tool {
namespace {

Answer module_loaded(const Facts& f) {
  if (!f.loaded)
    return {"module", Grade::kMissing, "atcp.ko is not loaded",
            fitting(f.files, f.release) ? "atcp load" : ""};
  if (!f.load_state.empty() && f.load_state != "live")
    return {"module", Grade::kMissing, fmt::format("atcp.ko is {}", f.load_state), ""};
  return {"module", Grade::kOk, "loaded", ""};
}

Answer module_files(const Facts& f) {
  const ModuleFile* fits = fitting(f.files, f.release);
  if (fits)
    return {"file", Grade::kOk, fmt::format("{} is for this kernel ({})", fits->path, f.release),
            ""};
  Grade grade = f.loaded ? Grade::kNote : Grade::kMissing;
  std::string todo = "make modules KDIR=/lib/modules/$(uname -r)/build";
  if (f.files.empty())
    return {"file", grade, fmt::format("no atcp.ko was found for kernel {}", f.release), todo};
  std::string others;
  for (const ModuleFile& m : f.files)
    others += fmt::format("{}{} is for {}", others.empty() ? "" : ", ", m.path,
                          m.release.empty() ? "no kernel that it names" : m.release);
  return {"file", grade, fmt::format("none fits kernel {}: {}", f.release, others), todo};
}

Answer netlink_family(const Facts& f) {
  if (!f.family)
    return f.loaded ? Answer{"netlink", Grade::kMissing,
                             "the module is loaded but its netlink family does not answer", "dmesg"}
                    : Answer{"netlink", Grade::kNote, "no family without the module", ""};
  if (*f.family != f.family_wanted)
    return {"netlink", Grade::kMissing,
            fmt::format("version {}, and this tool speaks {}: tool and module are of different "
                        "builds",
                        *f.family, f.family_wanted),
            "make modules tools"};
  return {"netlink", Grade::kOk, fmt::format("family atcp, version {}", *f.family), ""};
}

Answer preload_library(const Facts& f) {
  if (!f.preload.empty()) return {"preload", Grade::kOk, f.preload, ""};
  std::string looked;
  for (const std::string& path : f.looked)
    looked += (looked.empty() ? "" : ", ") + path;
  return {"preload", Grade::kMissing,
          "the library that `atcp run` needs was not found; looked for " + looked,
          "make tools_install"};
}

Answer rights(const Facts& f) {
  if (f.net_admin && f.sys_module) return {"rights", Grade::kOk, "may load and set", ""};
  if (f.net_admin)
    return {"rights", Grade::kNote, "may set, but not load (CAP_SYS_MODULE)", "sudo atcp load"};
  return {"rights", Grade::kNote,
          "may only look; loading takes CAP_SYS_MODULE, setting CAP_NET_ADMIN", "sudo atcp ..."};
}

Answer taint(const Facts& f) {
  if (!f.loaded) return {"taint", Grade::kOk, "none by atcp while it is not loaded", ""};
  std::string why;
  for (char flag : f.taint) {
    const char* word = flag == 'O'   ? "out of tree"
                       : flag == 'E' ? "unsigned"
                       : flag == 'P' ? "not under the GPL"
                       : flag == 'N' ? "for tests"
                       : flag == 'C' ? "staging"
                                     : nullptr;
    std::string text = word ? fmt::format("{} ({})", word, flag) : std::string(1, flag);
    why += (why.empty() ? "" : ", ") + text;
  }
  if (why.empty()) return {"taint", Grade::kOk, "none", ""};
  return {"taint", Grade::kNote, "the kernel is tainted by atcp: " + why, ""};
}

Answer signatures(const Facts& f) {
  bool locked = !f.lockdown.empty() && f.lockdown != "none";
  if (!f.signatures && !locked)
    return {"signature", Grade::kOk, "this kernel takes unsigned modules", ""};
  return {"signature", f.loaded ? Grade::kNote : Grade::kMissing,
          locked ? fmt::format("lockdown is {}: only signed modules are loaded", f.lockdown)
                 : "this kernel loads only signed modules (module.sig_enforce)",
          "sign atcp.ko with a key that the kernel knows (mokutil --import)"};
}

Answer types(const Facts& f) {
  if (f.btf && f.module_btf)
    return {"BTF", Grade::kOk, "types of kernel and module are there for bpftrace", ""};
  if (f.btf)
    return {"BTF", Grade::kNote,
            f.loaded ? "types of the kernel only: the module was built without them"
                     : "types of the kernel are there",
            ""};
  return {"BTF", Grade::kNote, "none: bpftrace needs headers to look into the kernel", ""};
}

/// update_socket_protocol() came with 6.6; it is MPTCP's part of the kernel that lets BPF have it.
Answer attach(const Facts& f) {
  unsigned major = 0, minor = 0;
  std::sscanf(f.release.c_str(), "%u.%u", &major, &minor);
  std::string lacks;
  if (major < 6 || (major == 6 && minor < 6))
    lacks = "needs kernel 6.6 or newer";
  else if (!f.btf)
    lacks = "needs a kernel with BTF";
  else if (!f.mptcp)
    lacks = "needs a kernel with CONFIG_MPTCP";
  if (!lacks.empty())
    return {"attach", Grade::kNote, "`atcp attach` " + lacks + "; `atcp run` does not", ""};
  return {"attach", Grade::kOk, "`atcp attach` can put cgroups on atcp", ""};
}

Answer kunit(const Facts& f) {
  return {"KUnit", f.kunit ? Grade::kOk : Grade::kNote,
          f.kunit ? "this kernel can run the glue's tests"
                  : "not in this kernel; only `make kunit`, which brings its own, needs it",
          ""};
}

Answer firewall(const Facts& f) {
  std::string have = fmt::format("nftables {}, connection tracking {}", f.nftables ? "yes" : "no",
                                 f.conntrack ? "yes" : "no");
  if (f.wire == "atcp" && f.conntrack)
    return {"firewall", Grade::kNote,
            have +
                "; segments of wire=atcp are IP protocol 253, which tracking knows as "
                "'generic': rules for TCP ports do not match them",
            "nft add rule ... ip protocol 253 accept"};
  return {"firewall", Grade::kOk, have, ""};
}

Answer somaxconn(const Facts& f) {
  if (f.somaxconn == 0) return {"somaxconn", Grade::kNote, "net.core.somaxconn is unknown", ""};
  if (f.somaxconn < 128)
    return {"somaxconn", Grade::kNote,
            fmt::format("net.core.somaxconn is {}, which cuts what programs ask for in listen()",
                        f.somaxconn),
            "sysctl net.core.somaxconn=4096"};
  return {"somaxconn", Grade::kOk, fmt::format("net.core.somaxconn is {}", f.somaxconn), ""};
}

constexpr Answer (*kQuestions[])(const Facts&) = {
    module_loaded, module_files, signatures, netlink_family, preload_library, rights,
    taint,         types,        attach,     kunit,          firewall,        somaxconn};

const char* grade_name(Grade g) {
  switch (g) {
    case Grade::kOk:
      return "ok";
    case Grade::kNote:
      return "note";
    case Grade::kMissing:
      return "missing";
  }
  return "?";
}

}  // namespace

std::vector<Answer> diagnose(const Facts& facts) {
  std::vector<Answer> answers;
  for (auto question : kQuestions)
    answers.push_back(question(facts));
  return answers;
}

bool healthy(const std::vector<Answer>& answers) {
  return std::ranges::none_of(answers, [](const Answer& a) { return a.grade == Grade::kMissing; });
}

std::string doctor_text(const std::vector<Answer>& answers) {
  std::string out;
  for (const Answer& a : answers) {
    out += fmt::format("{:<8} {:<10} {}\n", grade_name(a.grade), a.about, a.text);
    if (!a.todo.empty()) out += fmt::format("{:<19} type: {}\n", "", a.todo);
  }
  return out;
}

Json to_json(const Answer& a) {
  Json j = {{"about", a.about}, {"grade", grade_name(a.grade)}, {"text", a.text}};
  if (!a.todo.empty()) j["todo"] = a.todo;
  return j;
}

}  // namespace atcp::tool
