// SPDX-License-Identifier: MIT
// Node.js as a peer of ours: see foreign.h.
'use strict';
const fs = require('fs');
const tls = require('tls');

const role = process.argv[2];
const opt = { name: 'localhost', connections: '1' };
for (let i = 3; i < process.argv.length; i += 2)
	opt[process.argv[i].replace(/^--/, '')] = process.argv[i + 1];

const settings = { minVersion: 'TLSv1.3', host: '127.0.0.1', port: Number(opt.port), servername: opt.name };
if (opt.cert)
	Object.assign(settings, { cert: fs.readFileSync(opt.cert), key: fs.readFileSync(opt.key) });
if (opt.ca && role === 'client')
	settings.ca = fs.readFileSync(opt.ca);
if (opt['client-ca'])
	Object.assign(settings, { ca: fs.readFileSync(opt['client-ca']), requestCert: true, rejectUnauthorized: true });
if (opt.suite)
	settings.ciphers = opt.suite;
if (opt.group)
	settings.ecdhCurve = opt.group;
if (opt.alpn)
	settings.ALPNProtocols = [opt.alpn];

let left = Number(opt.connections);
let session;

function fail(error) {
	console.log(`failed: ${error.message}`);
	process.exit(1);
}

function done(reused) {
	console.log(`ok resumed=${reused ? 1 : 0} early=0`);
	left--;
}

function talk() {
	const conn = tls.connect({ ...settings, session });
	const lines = [1, 2].map((i) => `line ${i} of the other client\n`);
	let number = 0;
	let got = '';
	let reused = false;
	conn.on('error', fail);
	conn.on('session', (ticket) => { session = ticket; });
	conn.on('secureConnect', () => {
		reused = conn.isSessionReused();
		conn.write(lines[0]);
	});
	conn.on('data', (data) => {
		got += data;
		if (got.length < lines[number].length)
			return;
		if (got !== lines[number])
			fail(new Error(`${got} instead of ${lines[number]}`));
		got = '';
		if (++number < lines.length)
			conn.write(lines[number]);
		else
			conn.end();
	});
	conn.on('close', () => {
		if (number < lines.length)
			fail(new Error('the end instead of an echo'));
		done(reused);
		if (left > 0)
			talk();
	});
}

function serve() {
	const server = tls.createServer(settings, (conn) => {
		const reused = conn.isSessionReused();
		conn.on('error', fail);
		conn.pipe(conn);
		conn.on('end', () => {
			done(reused);
			if (left === 0)
				server.close();
		});
	});
	server.on('tlsClientError', fail);
	server.listen(settings.port, settings.host);
}

(role === 'server' ? serve : talk)();
