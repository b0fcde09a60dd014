// SPDX-License-Identifier: MIT
/* A TLS server without a TLS library: greets whoever connects to the port. usage: hello PORT PROFILE */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "uapi/tlshd.h"

int main(int argc, char **argv)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6, .sin6_port = htons(argc > 1 ? atoi(argv[1]) : 0) };
	struct tlshd_start s = { .size = sizeof s, .role = TLSHD_SERVER };
	int c, l = socket(AF_INET6, SOCK_STREAM, 0);

	if (argc != 3 || strlen(argv[2]) >= sizeof s.profile)
		return fputs("usage: hello PORT PROFILE\n", stderr), 2;
	strcpy(s.profile, argv[2]);
	if (bind(l, (struct sockaddr *)&addr, sizeof addr) || listen(l, 16))
		return perror("listen"), 1;
	while ((c = accept(l, NULL, NULL)) >= 0) {
		if (setsockopt(c, IPPROTO_IP, TLSHD_START, &s, sizeof s))	/* returns when the keys are in the kernel */
			perror("TLSHD_START");
		else if (write(c, "hello\n", 6) < 0)				/* the kernel encrypts */
			perror("write");
		close(c);
	}
	return perror("accept"), 1;
}
