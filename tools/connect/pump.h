/* SPDX-License-Identifier: MIT */
/*
 * pump: bytes between stdin, stdout and a socket.
 */
#ifndef CONNECT_PUMP_H
#define CONNECT_PUMP_H

/**
 * pump() - until the peer has sent its last byte
 * @fd: a socket; left non-blocking
 *
 * stdin's end closes only our direction (shutdown(), so close_notify is sent); the peer's bytes go on to stdout until
 * its own end. A reader of stdout that is slow slows the peer down, but never what stdin sends.
 *
 * Return: 0 at the peer's end, -EPIPE if stdout's reader has gone, else the errno of the socket, stdin or stdout.
 */
int pump(int fd);

#endif
