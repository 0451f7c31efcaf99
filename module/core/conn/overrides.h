// SPDX-License-Identifier: GPL-2.0
//
// Parameters that one socket has otherwise than its namespace: set by its program or by the control tool, or
// inherited from its listener. Most sockets have none, so it is a block of its own behind a pointer; children share
// their listener's. A block never changes once it can be seen: who sets something puts a new one in its place.
#ifndef ATCP_CONN_OVERRIDES_H
#define ATCP_CONN_OVERRIDES_H

#include "base/atomic.h"
#include "table/params.h"

namespace atcp {

struct Overrides {
  atcp_rcu rcu;
  uint32_t refs;                ///< atomic: sockets that have it
  uint8_t source[kParamCount];  ///< enum atcp_source; 0: not set here
  uint32_t v[kParamCount];

  bool has(Param p) const { return source[static_cast<uint32_t>(p)] != 0; }
};

/// A value and where it comes from, as they were set together.
struct Override {
  uint32_t value;
  uint8_t source;  ///< enum atcp_source; 0: not set here, and no value
};

/// What one socket's pointer to such a block is for. Written under the socket lock; read without it inside RCU.
class OverridesRef {
 public:
  /// The value of p here, or that of the namespace.
  uint32_t or_else(Param p, uint32_t of_ns) const {
    const Overrides* o = block_of(load_acquire(&ref_));
    return o == nullptr || !o->has(p) ? of_ns : o->v[static_cast<uint32_t>(p)];
  }
  bool has(Param p) const {
    const Overrides* o = block_of(load_acquire(&ref_));
    return o != nullptr && o->has(p);
  }
  /// What p is set to here.
  Override find(Param p) const;
  /// A block as it would be with n values set, or (source 0) let go of; nullptr: no memory. It goes to publish() or
  /// discard(). Lock: conn.
  Overrides* prepare(const Param* which, const uint32_t* values, uint32_t n, uint8_t source) const;
  void publish(Overrides* made);
  static void discard(Overrides* made);
  /// Both at once; false: no memory, nothing has changed. Lock: conn.
  bool change(const Param* which, const uint32_t* values, uint32_t n, uint8_t source);
  /// A new socket takes over what its listener has. The listener is not locked. Context: inside RCU.
  void inherit(const OverridesRef& listener);
  /// The socket ends. Nobody can see it any more.
  void drop();

 private:
  static constexpr uintptr kInherited = 1;  ///< all of the block came from the listener
  static Overrides* block_of(uintptr ref) {
    return reinterpret_cast<Overrides*>(ref & ~kInherited);
  }
  Overrides* block() const { return block_of(ref_); }

  uintptr ref_;  ///< the block's address and kInherited, so that nobody sees one without the other
};

}  // namespace atcp

#endif  // ATCP_CONN_OVERRIDES_H
