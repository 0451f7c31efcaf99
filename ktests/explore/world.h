// SPDX-License-Identifier: GPL-2.0
//
// The whole world of an exploration in one piece of memory without a constructor: two hosts, their cores with
// everything these allocate, sockets, programs, the network between them, the clock. A copy of that memory is
// a snapshot, and copying it back goes there again, pointers included. Nothing outside of it may remember
// anything that a path did.
#ifndef ATCP_EXPLORE_WORLD_H
#define ATCP_EXPLORE_WORLD_H

#include <linux/atcp.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "abi/atcp_core.h"
#include "wire/segment.h"

namespace atcp {
struct Ns;
struct Tcb;
}  // namespace atcp

namespace atcp::explore {

constexpr uint32_t kSides = 2;
constexpr uint32_t kMaxSocks = 8;
constexpr uint32_t kMaxWire = 40;
constexpr uint32_t kMaxPiece = 256;  ///< payload of a piece of a send queue
constexpr uint32_t kMaxOnWire = 80;  ///< payload of a segment
constexpr uint32_t kHeapBytes = 1 << 18;
constexpr uint32_t kMaxSteps = 12;  ///< of a program

struct Sock;

/// A received packet or a piece of a send queue. The core sees `pkt`, and the links in front of it.
struct Pkt {
  uint8_t links[ATCP_PKT_LINKS_BEFORE];
  atcp_pkt pkt;
  Pkt* next;      ///< in the receive queue
  Sock* charged;  ///< whose memory it is
  uint32_t truesize;
  uint32_t len;
  uint32_t begin;  ///< receive queue: first byte that the program has not read
  uint32_t end;
  bool sending;  ///< it is in a send queue
  uint8_t data[kMaxPiece];
};

/// What the port keeps of a socket. The core sees only the first member.
struct Sock {
  atcp_conn conn;
  atcp_osns* ns;
  atcp_tuple tuple;
  uint64_t timer_ns;
  Pkt* rx_first;
  Pkt* rx_last;
  uint32_t refs;
  uint32_t state;
  uint32_t rx_bytes;  ///< to be read
  uint32_t rx_total;  ///< ever delivered
  uint32_t rmem;
  uint32_t held;  ///< of that
  uint32_t rcvbuf;
  uint32_t pieces;  ///< in the send queue
  uint8_t error;    ///< enum atcp_err
  bool locked;
  bool eof;
  bool orphaned;
  bool closed;
  bool program_ref;
  bool listener;
};

/// A segment on its way.
struct Wire {
  bool used;
  bool loose;     ///< set aside: may arrive at any time; else in the order of `number`
  bool tampered;  ///< may still be dropped, doubled, held back: one of the first n
  uint8_t to;     ///< side
  uint8_t hdr_len;
  uint8_t len;
  uint8_t ecn;      ///< codepoint of the IP header
  uint16_t number;  ///< of the segments sent in that direction
  uint8_t hdr[kMaxHeader];
  uint8_t data[kMaxOnWire];
};

enum class Op : uint8_t {
  End,
  Accept,      ///< take a connection from the listener
  Send,        ///< n bytes
  Receive,     ///< some, until n have been read in all
  ReceiveAll,  ///< until the peer's FIN
  Shutdown,
  Close,
  Unlisten,  ///< close the listener
};

struct Step {
  Op op = Op::End;
  uint16_t n = 0;
};

constexpr uint8_t kNoLimit = 255;  ///< of Budget::segments and drops

/// What the adversary may do; each doing costs one of its kind.
struct Budget {
  uint8_t segments = 0;  ///< only to so many of the first segments, both directions counted
  uint8_t drops = 0;
  uint8_t doubles = 0;
  uint8_t delays = 0;  ///< a segment is set aside, others pass it
  uint8_t early = 0;  ///< a timer fires while something else could happen, or before an earlier one
};

struct Program {
  Sock* sock;
  Sock* listener;
  uint8_t at;     ///< next step
  uint8_t error;  ///< first enum atcp_err that it was told
  bool aborted;   ///< it reset the connection itself
  bool eof;
  bool dead;  ///< it found its connection gone
  uint32_t read;
  uint32_t written;
};

struct Block {
  uint32_t bytes;
  uint16_t kind;
  uint16_t live;
  Block* next_free;
};

constexpr uint16_t kLive = 0x11fe;
constexpr uint16_t kFreed = 0xdead;

struct FreeList {
  uint32_t bytes;
  Block* first;
};

}  // namespace atcp::explore

/// The port's half of a namespace.
struct atcp_osns {
  atcp_ns* core;
  uint64_t timer_ns;
  uint32_t iss;  ///< of the last SYN that left
  uint8_t side;
  bool work;
};

namespace atcp::explore {

struct World {
  uint64_t now_ns;
  uint64_t random;
  atcp_osns ns[kSides];
  Program program[kSides];
  Budget left;
  bool
      broken_promise;  ///< a timer of minutes fired while its segments were held up: errors are in order then
  uint16_t sent[kSides];
  uint16_t sent_in_all;
  uint32_t rcu_depth;
  uint32_t locks;  ///< spinlocks held
  Sock* socks[kMaxSocks];
  Wire wire[kMaxWire];
  void* deferred[64];  ///< freed when no reader is left
  Sock* dead[kMaxSocks];
  uint32_t n_deferred;
  uint32_t n_dead;
  FreeList free_lists[32];
  uint32_t live_blocks;
  uint32_t heap_used;
  alignas(16) uint8_t heap[kHeapBytes];
};

extern World g_world;

/// What is wrong, for the judge; empty while all is well. The first complaint stays.
extern std::string g_broken;
[[gnu::format(printf, 1, 2)]] void broken(const char* format, ...);

/// Faults of the port itself, by which the explorer is tested.
enum class Sabotage : uint8_t {
  None,
  LostTimer,     ///< retransmission timers of one host are forgotten
  TwiceTold,     ///< a delivered packet is delivered once more
  SwappedBytes,  ///< two bytes of a segment change places on the wire
  Leak,          ///< a TIME_WAIT entry's memory is not given back
  DeafListener,  ///< the third ACK is thrown away for ever
  LyingAck,      ///< an ACK covers a byte more than arrived
  LostWheel,     ///< one host's timer of a namespace is forgotten
  Count_,
};
extern Sabotage g_sabotage;

/// A replay tells what happens, line by line.
extern bool g_tell;
[[gnu::format(printf, 1, 2)]] void tell(const char* format, ...);

// ---- port.cpp ----
inline Sock& sock_of(const atcp_conn* c) {
  return *reinterpret_cast<Sock*>(const_cast<atcp_conn*>(c));
}
inline Pkt& pkt_of(atcp_pkt* p) {
  return *reinterpret_cast<Pkt*>(reinterpret_cast<uint8_t*>(p) - offsetof(Pkt, pkt));
}
Sock* sock_new(atcp_osns& ns);
Pkt* pkt_new(const uint8_t* data, uint32_t len);
void pkt_drop(Pkt* p);
void sock_lock(Sock& s);
void sock_unlock(Sock& s);
void sock_put(Sock& s);
/// No reader is left: what waited for that goes.
void quiesce();
void heap_unpoison();
void heap_poison();
/// Byte number at of what a side's program writes.
uint8_t stream_byte(uint32_t side, uint32_t at);
std::string describe(const Wire& w);

}  // namespace atcp::explore

#endif  // ATCP_EXPLORE_WORLD_H
