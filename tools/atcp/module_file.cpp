// SPDX-License-Identifier: GPL-2.0
//
// The search for atcp.ko, and the reading of its .modinfo.
#include "module_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "model.h"

namespace atcp::tool {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNames[] = {"atcp.ko", "atcp.ko.xz", "atcp.ko.zst", "atcp.ko.gz"};

bool is_module_name(const fs::path& path) {
  return std::ranges::find(kNames, path.filename().string()) != std::end(kNames);
}

/// By its name; what is within is not read.
bool is_packed(const std::string& path) {
  return std::ranges::any_of(std::array{".ko.xz", ".ko.zst", ".ko.gz"},
                             [&](const char* ending) { return path.ends_with(ending); });
}

/// The value of every "key=..." that stands between two NULs.
std::vector<std::string> values(std::string_view bytes, std::string_view key) {
  std::vector<std::string> found;
  std::string mark = fmt::format("{}=", key);
  for (size_t at = bytes.find(mark); at != bytes.npos; at = bytes.find(mark, at + 1)) {
    if (at > 0 && bytes[at - 1] != '\0') continue;
    size_t end = bytes.find('\0', at);
    if (end != bytes.npos)
      found.emplace_back(bytes.substr(at + mark.size(), end - at - mark.size()));
  }
  return found;
}

/// RELEASE of /lib/modules/RELEASE/...
std::string release_of_folder(const std::string& path) {
  constexpr std::string_view kHead = "/lib/modules/";
  size_t at = path.find(kHead);
  if (at == path.npos) return "";
  size_t from = at + kHead.size();
  return path.substr(from, path.find('/', from) - from);
}

void look_below(const fs::path& folder, int depth, std::vector<fs::path>& found) {
  std::error_code error;
  fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, error);
  for (fs::recursive_directory_iterator end; !error && it != end; it.increment(error)) {
    if (it.depth() >= depth) it.disable_recursion_pending();
    if (is_module_name(it->path())) found.push_back(it->path());
  }
}

}  // namespace

ModuleFile parse_module(std::string path, std::string_view bytes) {
  ModuleFile m;
  m.path = std::move(path);
  for (const std::string& name : values(bytes, "name"))
    m.name = name;
  for (const std::string& magic : values(bytes, "vermagic"))
    m.release = magic.substr(0, magic.find(' '));
  for (const std::string& type : values(bytes, "parmtype"))
    m.parameters.push_back(type.substr(0, type.find(':')));
  for (const std::string& text : values(bytes, "parm")) {
    std::string name = text.substr(0, text.find(':'));
    if (std::ranges::find(m.parameters, name) == m.parameters.end()) m.parameters.push_back(name);
  }
  return m;
}

ModuleFile read_module(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(fmt::format("{}: cannot be read", path));
  std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!is_packed(path)) return parse_module(path, bytes);
  ModuleFile m;
  m.path = path;
  m.name = "atcp";
  m.release = release_of_folder(path);
  m.packed = true;
  return m;
}

std::vector<ModuleFile> find_modules(const std::string& release, const std::string& exe_dir) {
  std::vector<fs::path> paths;
  for (const char* folder : {"updates", "extra"})
    look_below(fs::path("/lib/modules") / release / folder, 3, paths);
  if (!exe_dir.empty()) look_below(fs::path(exe_dir).parent_path(), 1, paths);
  for (const char* folder : {".", "build"}) {
    std::error_code error;
    if (fs::is_directory(folder, error)) look_below(fs::absolute(folder, error), 1, paths);
  }
  std::vector<ModuleFile> files;
  for (const fs::path& path : paths) {
    std::string text = path.lexically_normal().string();
    if (std::ranges::find(files, text, &ModuleFile::path) != files.end()) continue;
    try {
      files.push_back(read_module(text));
    } catch (const Error&) {
      // One that may not be read is not one to load.
    }
  }
  return files;
}

const ModuleFile* fitting(const std::vector<ModuleFile>& files, std::string_view release) {
  auto it = std::ranges::find(files, release, &ModuleFile::release);
  return it == files.end() ? nullptr : &*it;
}

}  // namespace atcp::tool
