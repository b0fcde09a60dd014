/* SPDX-License-Identifier: MIT */
/* notify: tell the service manager how we are (the sd_notify protocol: one datagram to $NOTIFY_SOCKET). */
#ifndef TLSHD_NOTIFY_H
#define TLSHD_NOTIFY_H

/**
 * notify_send() - send an assignment like "READY=1"
 *
 * Without a service manager it does nothing; a manager that does not listen is not our trouble either.
 */
void notify_send(const char *state);

#endif
