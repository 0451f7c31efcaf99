// SPDX-License-Identifier: GPL-2.0
//
// Files that may be the module: what they say of themselves, where they are looked for, and which
// of them the running kernel takes. Nothing is loaded here.
#ifndef ATCP_TOOL_MODULE_FILE_H
#define ATCP_TOOL_MODULE_FILE_H

#include <string>
#include <string_view>
#include <vector>

namespace atcp::tool {

struct ModuleFile {
  std::string path;
  std::string name;                     ///< "atcp", if it says so
  std::string release;                  ///< kernel it was built for (first word of vermagic)
  std::vector<std::string> parameters;  ///< that may be given when it is loaded
  bool packed = false;                  ///< compressed, so what it says cannot be read here
};

/// What the bytes of a kernel object say (its .modinfo: NUL-ended "key=value").
ModuleFile parse_module(std::string path, std::string_view bytes);

/// Reads a file; throws Error if it cannot be read. A compressed file counts as built for the
/// kernel whose folder it is in (/lib/modules/RELEASE/...).
ModuleFile read_module(const std::string& path);

/// Every file named atcp.ko that a person might mean, best first: installed for this kernel, in a
/// build tree around the tool, in and below the folder one is in.
std::vector<ModuleFile> find_modules(const std::string& release, const std::string& exe_dir);

/// The first that fits, or nullptr.
const ModuleFile* fitting(const std::vector<ModuleFile>& files, std::string_view release);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_MODULE_FILE_H
