// SPDX-License-Identifier: GPL-2.0
//
// Blocks of overrides: made anew for each change, shared by listener and children, freed when the last socket
// and all readers have let go.
#include "conn/overrides.h"

#include <linux/atcp.h>

namespace atcp {
namespace {

void put(Overrides* o) {
  if (o != nullptr && sub_fetch(&o->refs, 1u) == 0) atcp_os_free_rcu(o, &o->rcu, ATCP_MEM_OTHER);
}

}  // namespace

Override OverridesRef::find(Param p) const {
  const uintptr ref = load_acquire(&ref_);
  const Overrides* o = block_of(ref);
  const auto at = static_cast<uint32_t>(p);
  if (o == nullptr || !o->has(p)) return {0, 0};
  return {o->v[at], (ref & kInherited) != 0 ? uint8_t{ATCP_SOURCE_LISTENER} : o->source[at]};
}

Overrides* OverridesRef::prepare(const Param* which, const uint32_t* values, uint32_t n,
                                 uint8_t source) const {
  auto* made = static_cast<Overrides*>(atcp_os_alloc(sizeof(Overrides), ATCP_MEM_OTHER));
  if (made == nullptr) return nullptr;
  made->refs = 1;
  for (uint32_t i = 0; i < kParamCount; i++) {
    const Override old = find(static_cast<Param>(i));
    made->v[i] = old.value;
    made->source[i] = old.source;
  }
  for (uint32_t i = 0; i < n; i++) {
    const auto at = static_cast<uint32_t>(which[i]);
    made->source[at] = source;
    made->v[at] = values[i];
  }
  return made;
}

void OverridesRef::publish(Overrides* made) {
  Overrides* old = block();
  store_release(&ref_, reinterpret_cast<uintptr>(made));
  put(old);
}

void OverridesRef::discard(Overrides* made) {
  atcp_os_free(made, ATCP_MEM_OTHER);
}

bool OverridesRef::change(const Param* which, const uint32_t* values, uint32_t n, uint8_t source) {
  if (source == 0 && block() == nullptr) return true;
  Overrides* made = prepare(which, values, n, source);
  if (made != nullptr) publish(made);
  return made != nullptr;
}

void OverridesRef::inherit(const OverridesRef& listener) {
  // A block that is on its way out has a successor already.
  Overrides* o = block_of(load_acquire(&listener.ref_));
  while (o != nullptr && !inc_not_zero(&o->refs))
    o = block_of(load_acquire(&listener.ref_));
  store_release(&ref_, o != nullptr ? reinterpret_cast<uintptr>(o) | kInherited : 0);
}

void OverridesRef::drop() {
  Overrides* old = block();
  store_release<uintptr>(&ref_, 0);
  put(old);
}

}  // namespace atcp
