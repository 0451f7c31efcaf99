// SPDX-License-Identifier: GPL-2.0
//
// The control block of one connection (RFC 9293 3.3.1): every variable with its unit and
// invariant. Behaviour is in the files named after it: state, output, ack, recovery, retransmit, receive,
// input, open, close, timer, options, info. All of it runs under the socket lock unless a field
// says otherwise.
#ifndef ATCP_CONN_TCB_H
#define ATCP_CONN_TCB_H

#include <linux/atcp.h>

#include "cc/cc_ops.h"
#include "conn/ecn.h"
#include "conn/fastopen.h"
#include "conn/limits.h"
#include "conn/mtu_probe.h"
#include "conn/ns.h"
#include "conn/overrides.h"
#include "conn/pacing.h"
#include "conn/rack.h"
#include "conn/rate.h"
#include "conn/reassembly.h"
#include "conn/rtt.h"
#include "conn/scoreboard.h"
#include "conn/timers.h"
#include "conn/tx_list.h"
#include "conn/urgent.h"
#include "table/endpoint.h"

namespace atcp {

struct Listener;

/// RFC 9293 3.3.2, with Linux's numbers.
enum class State : uint8_t {
  Established = ATCP_STATE_ESTABLISHED,
  SynSent = ATCP_STATE_SYN_SENT,
  SynReceived = ATCP_STATE_SYN_RECEIVED,
  FinWait1 = ATCP_STATE_FIN_WAIT1,
  FinWait2 = ATCP_STATE_FIN_WAIT2,
  TimeWait = ATCP_STATE_TIME_WAIT,
  Closed = ATCP_STATE_CLOSED,
  CloseWait = ATCP_STATE_CLOSE_WAIT,
  LastAck = ATCP_STATE_LAST_ACK,
  Listen = ATCP_STATE_LISTEN,
  Closing = ATCP_STATE_CLOSING,
};

/// Sets of states, for tests like in(s, kDataStates).
constexpr uint32_t bit(State s) {
  return 1u << static_cast<uint32_t>(s);
}
constexpr bool in(State s, uint32_t set) {
  return (bit(s) & set) != 0;
}
/// We may send new data.
inline constexpr uint32_t kSendStates = bit(State::Established) | bit(State::CloseWait);
/// The peer may send us data.
inline constexpr uint32_t kReceiveStates =
    bit(State::Established) | bit(State::FinWait1) | bit(State::FinWait2);
/// Our FIN is queued or sent.
inline constexpr uint32_t kFinStates =
    bit(State::FinWait1) | bit(State::FinWait2) | bit(State::Closing) | bit(State::LastAck);
/// Both sequence numbers are known and the table has us.
inline constexpr uint32_t kSynchronized = kSendStates | kFinStates | bit(State::SynReceived);

/// Where loss recovery stands (names of Linux, numbers of tcpi_ca_state).
enum class CaState : uint8_t { Open = 0, Disorder = 1, Cwr = 2, Recovery = 3, Loss = 4 };
constexpr uint32_t bit(CaState s) {
  return 1u << static_cast<uint32_t>(s);
}
constexpr bool in(CaState s, uint32_t set) {
  return (bit(s) & set) != 0;
}
/// What is sent counts against what recovery allows.
inline constexpr uint32_t kReducingStates =
    bit(CaState::Cwr) | bit(CaState::Recovery) | bit(CaState::Loss);

/// What the input path knows while it works on one segment.
struct Now {
  uint64_t ns;
  uint64_t us;
  explicit Now(uint64_t now_ns) : ns(now_ns), us(now_ns / 1000) {}
};

struct Tcb : Endpoint {
  // ---- identity -----------------------------------------------------------------------
  Ns* ns;
  const CcOps* cc_ops;  ///< next to ns: these three stay when a socket is used anew (tcb_restart)
  OverridesRef overrides;

  State state;
  CaState ca_state;
  uint8_t snd_wscale;
  uint8_t rcv_wscale;
  // Options agreed on the SYNs (RFC 7323, 2018).
  bool ts_ok : 1;
  bool sack_ok : 1;
  bool wscale_ok : 1;
  // What our SYN offers of them, and goes on offering; an answer is judged by these.
  bool ts_offered : 1;
  bool sack_offered : 1;
  bool wscale_offered : 1;
  // Program's wishes.
  bool nodelay : 1;       ///< TCP_NODELAY
  bool cork : 1;          ///< TCP_CORK
  bool keepalive_on : 1;  ///< SO_KEEPALIVE
  bool passive : 1;       ///< opened by a listener (RFC 9293 3.5: where SYN_RECEIVED came from)
  bool fin_queued : 1;    ///< the program closed its direction; a piece carries kFin
  bool fin_received : 1;  ///< the peer's FIN was delivered in order
  bool fin_pending : 1;   ///< the peer's FIN is known but data before it is missing
  bool rx_closed : 1;     ///< close(): nobody reads any more; data is answered by RST
  bool in_done : 1;       ///< atcp_os_conn_closed was called
  bool ack_now : 1;       ///< this segment demands an ACK at once
  bool interactive : 1;   ///< answers follow what comes: ACKs wait for them
  uint8_t
      ends_in : 2;  ///< segments since the last ACK that end a write of the peer: 0, 1, 2 (or more)
  bool dsack_pending : 1;  ///< report `dsack` with the next ACK (RFC 2883)
  bool dsack_undo : 1;     ///< a DSACK showed the last needless retransmission
  bool undo_ok : 1;        ///< undo_marker is valid
  bool frto : 1;  ///< RFC 5682: the timeout may have been needless, the next ACKs will tell
  bool frto_send_new : 1;  ///< and until then new data goes out instead of what may be lost
  bool cwnd_limited : 1;   ///< the last attempt to send was stopped by cwnd
  bool rcvbuf_tuned : 1;   ///< rcv_space has a first measurement
  bool ts_offset_set : 1;
  // RFC 3168, ecn.cpp.
  bool ecn_asked : 1;  ///< a SYN of ours asked for it
  bool ecn_ok : 1;     ///< agreed
  bool ecn_seen : 1;   ///< the peer sends packets that can be marked
  bool ecn_echo : 1;   ///< ACKs carry ECE
  bool ecn_cwr : 1;    ///< the next new data carries CWR
  bool ecn_wait : 1;   ///< the peer has not acknowledged CWR yet: what it echoes is old news
  // TCP Fast Open.
  bool fastopen : 1;            ///< the program has data for our SYN, or wants to have next time
  bool syn_held : 1;            ///< SYN_SENT, but the SYN waits for the program's data
  bool syn_fastopen : 1;        ///< our SYN had the option, or data
  bool syn_data : 1;            ///< our SYN had data
  bool syn_data_acked : 1;      ///< a SYN's data was taken, by the peer or (passive) by us
  bool fastopen_connect : 1;    ///< TCP_FASTOPEN_CONNECT
  bool fastopen_no_cookie : 1;  ///< TCP_FASTOPEN_NO_COOKIE
  bool no_fin_wait2 : 1;        ///< TCP_LINGER2 below 0: reset instead of FIN_WAIT_2
  bool
      fastopen_renew : 1;  ///< (passive) its cookie was of an old key: the SYN-ACK brings a new one
  uint8_t err_soft;        ///< enum atcp_err of the last soft ICMP error

  // ---- sending, used for every ACK -----------------------------------------------------
  Seq iss;
  Seq snd_una;           ///< oldest unacknowledged
  Seq snd_nxt;           ///< next to send; snd_una <= snd_nxt <= write_seq (+FIN)
  Seq write_seq;         ///< end of what the program wrote, FIN included once queued
  Seq snd_wl1;           ///< seq of the segment that last updated snd_wnd
  Seq snd_sml;           ///< end of the last small segment sent (Minshall's Nagle)
  Seq high_seq;          ///< recovery point: snd_nxt when Recovery or Loss began
  Seq undo_marker;       ///< snd_una when cwnd was reduced
  Seq high_sacked;       ///< end of the highest SACKed byte; valid if sacked_out > 0
  uint32_t snd_wnd;      ///< peer's window, bytes, scaled
  uint32_t max_snd_wnd;  ///< largest ever seen
  uint32_t mss;          ///< payload bytes per segment now (Eff.snd.MSS of RFC 9293 3.7.1)
  uint32_t packets_out;  ///< segments sent and not cumulatively acknowledged
  uint32_t sacked_out;   ///< of these SACKed (or, without SACK, duplicate ACKs)
  uint32_t lost_out;     ///< of these thought lost
  uint32_t retrans_out;  ///< of the lost ones sent again and thought in the network
  uint32_t reordering;   ///< segments a hole may be overtaken by before it counts as lost
  uint32_t prior_ssthresh;
  uint32_t prior_cwnd;
  uint32_t prr_delivered;  ///< RFC 9937
  uint32_t prr_out;
  uint32_t undo_retrans;      ///< retransmissions not yet shown to be needless
  uint64_t last_progress_us;  ///< when snd_una advanced last
  uint64_t stall_since_us;    ///< timeouts in a row: since when nothing was acknowledged
  uint64_t retrans_stamp_us;  ///< first retransmission of the current episode; 0: none
  Treap<TxSeg> tx;            ///< the whole send queue, sent and unsent
  TxSeg* send_head;           ///< first unsent piece, or nullptr
  TxList sent_list;           ///< in the network, by the time of their last sending
  TxList lost_list;    ///< thought lost and not sent again, in the order in which they were found
  LoneTxSeg fin_node;  ///< FIN that no payload carries
  Rack rack;
  Rate rate;
  Pacing pacing;
  SackBlock sack_cache
      [kMaxSackBlocks];  ///< what the last SACK option said, ascending; start == end: nothing
  CcState cc;
  RttEstimator rtt;
  Timers timers;
  Life life;               ///< what it waited for, time in states
  uint8_t backoff;         ///< doublings of the RTO or probe interval
  uint32_t round;          ///< round trips, counted by ACKs
  uint32_t limited_round;  ///< one more than `round` was when cwnd stopped something last; 0: never
  Seq ecn_told;   ///< first byte of the segment that carried CWR; valid if ecn_wait and not ecn_cwr
  Seq round_end;  ///< the next begins when this is acknowledged
  uint8_t retransmits;    ///< timeouts in a row without progress
  uint8_t probes_out;     ///< unanswered window or keepalive probes
  uint8_t syn_retries;    ///< SYNs or SYN-ACKs sent again
  uint64_t last_sent_us;  ///< data
  uint64_t last_ack_us;   ///< last ACK received

  // ---- receiving ------------------------------------------------------------------------
  Seq irs;
  Seq rcv_nxt;
  Seq copied_seq;  ///< next byte the program will read
  Seq rcv_wup;     ///< rcv_nxt when rcv_wnd was last advertised
  Seq last_ack_sent;
  Seq fin_seq;            ///< where the peer's FIN is; valid if fin_pending
  uint32_t rcv_wnd;       ///< advertised, from rcv_wup
  uint32_t window_clamp;  ///< never advertise more, bytes
  uint32_t rcv_ssthresh;  ///< grows as the peer shows that its packets are worth their memory
  uint32_t rcv_mss;       ///< estimate of the peer's segment size
  uint32_t scaling;       ///< payload per byte of packet memory, in 1/256
  uint32_t ts_recent;
  uint32_t ts_recent_s;  ///< when, seconds
  uint32_t ts_offset;
  uint32_t ato_us;      ///< delayed ACK interval now
  uint32_t quick_acks;  ///< ACKs still to be sent at once
  uint32_t rcv_rtt_us;  ///< RTT estimated by the receiver, times 8
  Seq rcv_rtt_seq;
  uint32_t rcv_space;  ///< bytes the program read in the last measured RTT
  Seq rcv_space_seq;
  uint64_t rcv_rtt_time_us;
  uint64_t rcv_space_time_us;
  uint64_t last_data_us;    ///< last payload received
  uint64_t last_dupack_us;  ///< rate limit of answers to invalid segments
  uint64_t last_challenge_us;
  Reassembly ofo;
  SackBlock dsack;
  Urgent urgent;  ///< both directions

  // ---- opening, options, totals (cold) ---------------------------------------------------
  uint16_t peer_mss;      ///< MSS option of the peer, or default_mss()
  uint16_t advmss;        ///< what we announced
  uint16_t user_mss;      ///< TCP_MAXSEG, 0: none
  uint16_t pmtu;          ///< path MTU (IP header included) that mss was computed from
  uint16_t last_seg_len;  ///< of the last data segment received, bytes
  uint16_t route_mtu;     ///< what the route said last; 0: not asked yet
  MtuSearch mtu;
  uint16_t ip_options;   ///< bytes in every packet, part of what the MSS leaves out
  uint8_t cc_source;     ///< enum atcp_source: who chose cc_ops
  uint8_t defer_accept;  ///< TCP_DEFER_ACCEPT, in SYN-ACK timeouts; 0: off. Read by packets
  bool accepted;         ///< a program has it from an accept queue. Atomic: set without its lock
  uint32_t user_timeout_ms;  ///< TCP_USER_TIMEOUT, 0: none
  uint32_t user_clamp;       ///< TCP_WINDOW_CLAMP, bytes, 0: none
  uint32_t segs_in, segs_out, data_segs_in, data_segs_out;
  uint32_t total_retrans;
  uint32_t dsack_dups;
  uint64_t bytes_acked, bytes_received, bytes_sent, bytes_retrans;
  // From here on tcb_restart() leaves everything as it is.
  BindNode bind;
  /// Queues and ledger, once the socket has listened; else nullptr. Freed with the Tcb. Constant
  /// while segments may look at it, which they do without the socket lock.
  Listener* listener;
  /// Of a socket with TCP_FASTOPEN or TCP_FASTOPEN_KEY; else nullptr. Atomic, freed with the Tcb.
  FastopenQueue* fastopen_queue;
  /// The listener in whose queue this connection counts until its handshake is complete, referenced.
  atcp_conn* fastopen_of;
  Tcb* accept_next;  ///< next in the listener's accept queue. Accept lock

  atcp_conn* conn() { return reinterpret_cast<atcp_conn*>(this); }
  const atcp_conn* conn() const { return reinterpret_cast<const atcp_conn*>(this); }
  /// The socket's own value or the namespace's. Without the socket lock: inside RCU.
  uint32_t param(Param p) const { return overrides.or_else(p, ns->param(p)); }
  /// One of the numbers of a pair or triple, which are the namespace's alone.
  uint32_t param(Param p, uint32_t k) const { return ns->param(p, k); }
  void count(Counter c, uint32_t n = 1) { ns->count(c, n); }
  /// A segment of this connection.
  void drop(atcp_pkt* pkt, uint32_t reason) { ns->drop(pkt, reason, conn()); }
  uint32_t in_flight() const { return packets_out - sacked_out - lost_out + retrans_out; }
  /// What is left of the advertised window at rcv_nxt; never negative.
  uint32_t receive_window() const {
    const int32_t w = (rcv_wup + rcv_wnd) - rcv_nxt;
    return w < 0 ? 0 : static_cast<uint32_t>(w);
  }
  Seq snd_wnd_end() const { return snd_una + snd_wnd; }
  uint32_t rto_us() const {
    return rtt.backed_off_us(backoff, param(Param::RtoMinUs), param(Param::RtoMaxMs) * 1000);
  }
  /// The millisecond clock of our timestamps.
  uint32_t ts_now(Now now) const { return static_cast<uint32_t>(now.us / 1000) + ts_offset; }
};
static_assert(sizeof(Tcb) <= sizeof(atcp_conn), "raise ATCP_CONN_WORDS");
static_assert(ATCP_CONN_WORDS <= 0xff, "Endpoint::v6_words");
static_assert(ATCP_CONN_V6_WORDS == kV6Words + 2,
              "the tuple's addresses and link, then the bound address");

/// The one place where a connection is told from other entries of the table.
inline Tcb* as_tcb(Endpoint* e) {
  return static_cast<Tcb*>(e);
}
inline Tcb* tcb_of(atcp_conn* c) {
  return reinterpret_cast<Tcb*>(c);
}
inline const Tcb* tcb_of(const atcp_conn* c) {
  return reinterpret_cast<const Tcb*>(c);
}

// ---- state.cpp ---------------------------------------------------------------------------

/// Fresh storage (all zero, which is a valid value of every field) becomes a CLOSED connection with the namespace's defaults.
/// v6: ATCP_CONN_V6_WORDS follow it.
void tcb_init(Tcb& t, Ns& ns, bool v6);
/// A CLOSED socket is used once more: everything of the old life goes, the program's wishes, but for TCP_WINDOW_CLAMP (as
/// Linux), and its bind stay.
void tcb_restart(Tcb& t);
/// The only writer of Tcb::state. Checks the transition against the table (a forbidden one is
/// ignored and false returned), mirrors it to the port, counts, takes the time.
bool set_state(Tcb& t, State to, Now now);
const char* state_name(State s);
/// To CLOSED: leave the table, stop timers, free queues, tell the port. err != OK is reported to the program.
void done(Tcb& t, uint32_t reason, atcp_err err, Now now);
/// Send RST if the state has one to send, then done().
void abort_with_reset(Tcb& t, uint32_t reason, atcp_err err, Now now);
/// Free the whole send queue.
void free_tx_queue(Tcb& t);
/// Set the congestion control, keeping cwnd if `keep`. False: no memory, or its module is about to go; all is as it was.
/// Lock: conn; RCU, unless ops is one that a connection has.
bool set_cc(Tcb& t, const CcOps& ops, bool keep, Now now);
/// The same one anew, as after set_cc(). Lock: conn.
void reset_cc(Tcb& t, bool keep, Now now);
/// Free what it has beside the Tcb; it is not to be used any more.
void drop_cc(Tcb& t);

// ---- limits.cpp, record.cpp --------------------------------------------------------------

/// Something happened that may have changed what the connection waits for: at the end of push(), of a timer, and of
/// whatever else does not end in push().
void limits_update(Tcb& t, Now now);
/// Who ended it (enum atcp_ended_by), by the reason and the state that it is in.
uint32_t ended_by(uint32_t reason, State s);
/// Its closing record goes to the port, if it was ever opened and somebody wants it. Before anything of it is let go of.
void write_record(Tcb& t, uint32_t reason, Now now);

// ---- output.cpp --------------------------------------------------------------------------

/// Hand a header without payload to the port, and count it.
void emit_plain(Tcb& t, const Header& h);
/// Pure ACK now.
void send_ack(Tcb& t, Now now);
/// RST for a connection: SEQ = snd_nxt, with ACK in synchronised states.
void send_reset(Tcb& t, uint32_t reason, Now now);
/// SYN or SYN-ACK of the connection itself (active or simultaneous open).
void send_syn(Tcb& t, Now now);
/// The same once more, which those who watch are told.
void send_syn_again(Tcb& t, Now now);
/// Send unsent data as far as window, cwnd and Nagle allow. more: the program will add more.
void push(Tcb& t, bool more, Now now);
/// At most one segment of unsent data, whatever cwnd and Nagle's rule say. False: there is none, or the peer has no room.
bool push_one(Tcb& t, Now now);
/// One piece, whole: first time or again. False: not handed to IP.
bool transmit(Tcb& t, TxSeg& s, Now now, bool whole = false);
/// Segment with seq snd_una-1 and no data, to make the peer answer: keepalive, zero window.
void send_probe(Tcb& t, Now now);
/// May the peer have an answer to what it repeats now? The rate limit of those of one connection (parameter
/// invalid_ratelimit); `skipped` is counted if not.
bool dup_answer_allowed(Tcb& t, Counter skipped, Now now);
/// An ACK that answers something invalid; rate-limited per connection unless it answers data,
/// which the peer repeats until it hears of it.
void send_dup_ack(Tcb& t, const atcp_seg& seg, Counter skipped, Now now);
/// Challenge ACK of RFC 5961, rate-limited per connection and namespace.
void send_challenge_ack(Tcb& t, Now now);
/// Recompute mss from pmtu, peer_mss, user_mss and options.
void update_mss(Tcb& t, uint32_t pmtu);
/// Before something is sent: has the route another MTU than when it was last asked? What it says without having changed
/// does not undo what a router said.
void follow_route(Tcb& t);
/// t.mss became smaller: what is outstanding is counted in the new segments. lost: and what was sent in larger ones has
/// not arrived.
void mss_fell(Tcb& t, bool lost);
/// What is marked lost was not lost to congestion: it goes again at once, and cwnd stays.
void resend_at_once(Tcb& t);
/// Split a sent or unsent piece at `at` payload bytes. nullptr: no memory.
TxSeg* split(Tcb& t, TxSeg& s, uint32_t at);
/// Append the FIN to the queue.
void queue_fin(Tcb& t);
/// Payload that fits one IP datagram beside the longest headers; the largest piece and MSS.
inline constexpr uint32_t kMaxPieceBytes = 65400;
static_assert(kMaxPieceBytes <= 0xffff, "TxSeg::head and mss");
/// Payload bytes of each wire segment of what leaves next: mss, less the SACK list in its header.
uint32_t send_mss(const Tcb& t);
/// Whole segments, as many as one piece can have.
uint32_t max_piece(uint32_t mss);
uint32_t segs_of(uint32_t len, uint32_t mss);
/// What a sent piece counts as, cut as it left, or for a path that carries less by now.
uint32_t segs_of(const Tcb& t, const TxSeg& s);

// ---- retransmit.cpp ----------------------------------------------------------------------

/// Send lost pieces again as far as cwnd allows.
void retransmit_lost(Tcb& t, Now now);
/// One piece again, at most one cwnd's worth of it; why: for those who watch. False: not sent.
bool retransmit(Tcb& t, TxSeg& s, atcp_retransmit_kind why, Now now);
void arm_rto(Tcb& t, Now now);
/// The retransmission timer fired (data outstanding).
void on_rto(Tcb& t, Now now);
/// Too many retries or too long? Ends the connection then and returns true.
bool gave_up(Tcb& t, Now now);

// ---- ack.cpp, recovery.cpp ---------------------------------------------------------------

/// What an ACK did, for the rest of the input path.
struct AckResult {
  bool valid = false;      ///< false: the segment must be dropped (answered already if needed)
  bool fin_acked = false;  ///< our FIN is acknowledged now
  bool window_opened = false;
  uint32_t reason = 0;  ///< if not valid
};
AckResult process_ack(Tcb& t, const atcp_seg& seg, Now now);
/// Autotuning of the send buffer: it follows cwnd up to wmem's maximum.
void want_send_buffer(Tcb& t);
/// Take the window of an acceptable segment. True if it changed.
bool update_send_window(Tcb& t, const atcp_seg& seg);

struct AckSample {
  uint32_t acked = 0;   ///< segments cumulatively acknowledged
  uint32_t sacked = 0;  ///< segments newly SACKed
  uint32_t rtt_us = 0;  ///< 0: none
  uint32_t prior_in_flight = 0;
  uint64_t now_us = 0;
  Seq prior_una;
  Seq prior_high;  ///< high_sacked before this ACK; valid if had_sacked
  bool had_sacked = false;
  bool dup_ack = false;  ///< ack == snd_una, no data, window unchanged
  bool ts_undo = false;  ///< timestamps show that the first retransmission was needless
  bool retrans_acked = false;
  bool ece = false;             ///< it echoes a congestion mark
  bool dsack = false;           ///< it reports a duplicate
  bool orig_delivered = false;  ///< a piece from before the timeout, never sent again, has arrived
  // Of the piece sent last among those that it reports (rate.cpp).
  bool rate_seen = false;
  bool app_limited = false;
  uint64_t rate_sent_us = 0;
  Seq rate_end;
  uint32_t prior_delivered = 0;
  uint32_t prior_delivered_us = 0;
  uint32_t send_us = 0;
  uint32_t tx_in_flight = 0;
  uint32_t tx_lost = 0;
  uint32_t rate_segs = 0;   ///< the sample: so many segments
  uint32_t rate_us = 0;     ///< in this time; 0: none
  uint32_t prior_lost = 0;  ///< lost_out before this ACK
  uint32_t reorder_seen =
      0;  ///< a never-retransmitted piece below a SACKed one arrived: distance in segments
};
/// Loss detection, entry to and exit from recovery, cwnd.
void recovery_on_ack(Tcb& t, const AckSample& a, Now now);
void enter_loss(Tcb& t, Now now);
/// A DSACK arrived for [start, end).
void recovery_on_dsack(Tcb& t, const SackBlock& b);
/// A probe of the tail repaired a loss that nothing else will show (RFC 8985 7.4.2).
void recovery_on_probed_loss(Tcb& t, Now now);
/// RACK's timer: loss that time alone shows.
void recovery_on_time(Tcb& t, Now now);

// ---- receive.cpp -------------------------------------------------------------------------

/// Payload and FIN of an acceptable segment. Consumes pkt.
void receive_data(Tcb& t, const atcp_seg& seg, atcp_pkt* pkt, Now now);
/// After a segment: ACK now, later, or not.
void ack_check(Tcb& t, Now now);
/// Window to advertise now, bytes; updates rcv_wnd and rcv_wup. Returns the header's field.
uint16_t select_window(Tcb& t);
/// SO_RCVLOWAT: see atcp_core_set_rcvlowat.
uint32_t set_rcvlowat(Tcb& t, uint32_t bytes);
/// What select_window would offer.
uint32_t offer_window(const Tcb& t);
void enter_quick_ack(Tcb& t, uint32_t max_acks);
/// Set up windows when the connection becomes synchronised.
void receive_init(Tcb& t);
/// Window scale to offer, if any is, so that the largest allowed buffer can be announced.
uint8_t choose_rcv_wscale(const Ns& ns, uint32_t limit_bytes);
/// Timestamp bookkeeping of an acceptable segment (RFC 7323 4.3).
void store_ts(Tcb& t, const atcp_seg& seg, Now now);
void consumed(Tcb& t, uint32_t bytes, Now now);

// ---- mtu_probe.cpp -----------------------------------------------------------------------

/// The connection is established: the search may begin (parameter mtu_probing = 2).
void mtu_probe_begin(Tcb& t, Now now);
/// mtu_probing was set or reset: 0 ends a search that is on, 2 begins one on a connection that is established.
void mtu_probe_changed(Tcb& t, Now now);
/// R1 is reached: perhaps it is the size of the segments (mtu_probing >= 1).
void mtu_probe_black_hole(Tcb& t, Now now);
/// Payload of the probe that should go next, at the front of the unsent piece s; 0: none. quota: segments that cwnd leaves.
uint32_t mtu_probe_bytes(Tcb& t, const TxSeg& s, uint32_t quota, Now now);
void mtu_probe_sent(Tcb& t, const TxSeg& s);
/// It was not handed to IP: what it would have carried goes as other data does.
void mtu_probe_refused(Tcb& t, Now now);
/// After snd_una has advanced: a probe that arrived raises the MSS.
void mtu_probe_acked(Tcb& t, Now now);
/// Losses were found. True: it was a probe alone, which goes again in small segments while cwnd stays.
bool mtu_probe_lost(Tcb& t, Now now);
/// Something is sent again: the fate of a probe cannot be told any more.
void mtu_probe_unclear(Tcb& t, Now now);

// ---- urgent.cpp --------------------------------------------------------------------------

/// The urgent pointer of an acceptable segment, and the urgent byte if it brings that.
void urgent_input(Tcb& t, const atcp_seg& seg, const atcp_pkt* pkt);

// ---- input.cpp, open.cpp, close.cpp, timer.cpp --------------------------------------------

void input(Tcb& t, const atcp_seg& seg, atcp_pkt* pkt, Now now);
void input_syn_sent(Tcb& t, const atcp_seg& seg, atcp_pkt* pkt, Now now);
/// Common to active and passive opens when the handshake completes.
void become_established(Tcb& t, Now now);
/// with_data: the program has some for the SYN, which is then held, if it may carry any.
atcp_err connect(Tcb& t, atcp_tuple& tuple, bool with_data, Now now);
/// Send a SYN that was held, with what is in the queue.
void connect_go(Tcb& t, Now now);
void close(Tcb& t, uint32_t unread, bool linger0, Now now);
atcp_err shutdown_send(Tcb& t, Now now);
/// To TIME_WAIT: an entry of its own takes our place in the table, and this connection is done.
void enter_time_wait(Tcb& t, Now now);
void on_timer(Tcb& t, Now now);
void restart_keepalive(Tcb& t, Now now);
/// Nobody reads any more and our FIN is acknowledged: the peer's FIN has so long to come, or, with
/// TCP_LINGER2 below zero, no time at all. Ends the connection in that case.
void start_fin_wait2(Tcb& t, Now now);
/// As atcp_core_icmp_ends.
bool icmp_ends(const Tcb& t);
void conn_icmp(Tcb& t, atcp_icmp_kind kind, Seq seq, uint32_t value, Now now);

/// What it shows of itself: each field is written, whatever out was before. Lock: none needed (of the moment).
void conn_info(const Tcb& t, atcp_conn_info* out, Now now);
/// The same for less. Lock: conn.
void conn_info_locked(const Tcb& t, atcp_conn_info* out, Now now);
/// The deadlines that are set, into ATCP_TIMERS places; how many.
uint32_t conn_timers(const Tcb& t, atcp_timer_info* out, Now now);
atcp_err set_option(Tcb& t, uint32_t opt, int32_t value, Now now);
atcp_err get_option(const Tcb& t, uint32_t opt, int32_t* value, Now now);

// ---- socket_params.cpp -------------------------------------------------------------------

/// A socket's own value of p has changed, or gone: what must be done about it at once is done.
void param_changed(Tcb& t, Param p, Now now);
/// Another congestion control, by its number. NOT_FOUND, NO_MEMORY.
atcp_err choose_cc(Tcb& t, uint32_t number, bool privileged, uint8_t source, Now now);
/// As atcp_core_conn_params_set, _reset, _conn_param_get.
atcp_err set_socket_params(Tcb& t, const atcp_param_text* set, uint32_t n, uint8_t source,
                           bool privileged, Now now, uint32_t* bad);
atcp_err reset_socket_params(Tcb& t, const uint32_t* which, uint32_t n, Now now, uint32_t* bad);
uint32_t format_socket_param(const Tcb& t, uint32_t i, uint32_t* source, char* buf, uint32_t size);

}  // namespace atcp

#endif  // ATCP_CONN_TCB_H
