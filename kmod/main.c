// SPDX-License-Identifier: GPL-2.0-only
/* tlshd.ko: TLS 1.3 as a socket option. See uapi/tlshd.h for what it offers and ctx.h for how it hangs together. */
#include <linux/module.h>
#include <net/genetlink.h>
#include "daemon.h"
#include "genl.h"
#include "hs.h"
#include "kdf.h"
#include "ktls.h"
#include "overlay.h"
#include "pad.h"
#include "sockopt.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init tlshd_init(void)
{
	int err;

	err = tlshd_kdf_init();
	if (err)
		goto err_kdf;
	err = tlshd_ktls_init();
	if (err)
		goto err_ktls;
	err = tlshd_overlay_init();
	if (err)
		goto err_overlay;
	err = tlshd_pad_init();
	if (err)
		goto err_overlay;
	err = tlshd_hs_init();
	if (err)
		goto err_hs;
	err = tlshd_daemon_init();
	if (err)
		goto err_daemon;
	err = tlshd_genl_init();
	if (err)
		goto err_genl;
	err = tlshd_sockopt_init();
	if (err)
		goto err_sockopt;
	return 0;

err_sockopt:
	tlshd_genl_exit();
err_genl:
	tlshd_daemon_exit();
err_daemon:
	tlshd_hs_exit();
err_hs:
	tlshd_pad_exit();
err_overlay:
	tlshd_ktls_exit();
err_ktls:
	tlshd_kdf_exit();
err_kdf:
	return err;
}

static void __exit tlshd_exit(void)
{
	tlshd_sockopt_exit();
	tlshd_genl_exit();
	tlshd_daemon_exit();
	tlshd_hs_exit();
	tlshd_pad_exit();
	tlshd_ktls_exit();
	tlshd_kdf_exit();
}

module_init(tlshd_init);
module_exit(tlshd_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("TLS 1.3 as a socket option");
