// SPDX-License-Identifier: GPL-2.0
//
// From the nests of uapi/linux/atcp.h to the structs of model.h. Pure functions of a message's
// bytes: no socket is touched. Attributes that this version does not know are passed over.
#ifndef ATCP_TOOL_DECODE_H
#define ATCP_TOOL_DECODE_H

#include <libmnl/libmnl.h>

#include "model.h"

namespace atcp::tool {

/// Each takes the nest itself (ATCP_A_PARAM and so on). An attribute shorter than its type
/// throws Error.
Param decode_param(const nlattr* nest);
Socket decode_socket(const nlattr* nest);
Listener decode_listener(const nlattr* nest);
Counter decode_counter(const nlattr* nest);
Reason decode_reason(const nlattr* nest);
Cc decode_cc(const nlattr* nest);
Tables decode_tables(const nlattr* nest);
Record decode_record(const nlattr* nest);
Event decode_event(const nlattr* nest);

/// First attribute of this type at the top level of a generic netlink message, or nullptr.
const nlattr* find_attr(const nlmsghdr* nlh, uint16_t type);

/// The kernel's message in an extended ACK (NLMSG_ERROR, or the NLMSG_DONE of a dump); empty
/// if it sent none.
std::string extack_text(const nlmsghdr* nlh);

}  // namespace atcp::tool

#endif  // ATCP_TOOL_DECODE_H
