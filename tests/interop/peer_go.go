// SPDX-License-Identifier: MIT

// Go's crypto/tls as a peer of ours: see foreign.h.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

var (
	port        = flag.Int("port", 0, "")
	cert        = flag.String("cert", "", "")
	key         = flag.String("key", "", "")
	ca          = flag.String("ca", "", "")
	clientCA    = flag.String("client-ca", "", "")
	name        = flag.String("name", "localhost", "")
	group       = flag.String("group", "", "")
	alpn        = flag.String("alpn", "", "")
	connections = flag.Int("connections", 1, "")
)

var groups = map[string]tls.CurveID{"x25519": tls.X25519, "secp256r1": tls.CurveP256, "secp384r1": tls.CurveP384}

func must(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func pool(path string) *x509.CertPool {
	pem, err := os.ReadFile(path)
	must(err)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

func configure() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: *name, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	if *cert != "" {
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		must(err)
		config.Certificates = []tls.Certificate{pair}
	}
	if *ca != "" {
		config.RootCAs = pool(*ca)
	}
	if *clientCA != "" {
		config.ClientCAs = pool(*clientCA)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if *group != "" {
		config.CurvePreferences = []tls.CurveID{groups[*group]}
	}
	if *alpn != "" {
		config.NextProtos = []string{*alpn}
	}
	return config
}

func talk(conn *tls.Conn) {
	back := bufio.NewReader(conn)
	for i := 1; i <= 2; i++ {
		line := fmt.Sprintf("line %d of the other client\n", i)
		_, err := io.WriteString(conn, line)
		must(err)
		got, err := back.ReadString('\n')
		must(err)
		if got != line {
			must(fmt.Errorf("%q instead of %q", got, line))
		}
	}
}

func connection(listener net.Listener, config *tls.Config) {
	address := fmt.Sprintf("127.0.0.1:%d", *port)
	var conn *tls.Conn
	if listener != nil {
		raw, err := listener.Accept()
		must(err)
		conn = tls.Server(raw, config)
	} else {
		raw, err := net.Dial("tcp", address)
		must(err)
		conn = tls.Client(raw, config)
	}
	must(conn.SetDeadline(time.Now().Add(20 * time.Second)))
	must(conn.Handshake())
	if listener != nil {
		_, err := io.Copy(conn, conn)
		must(err)
	} else {
		talk(conn)
	}
	resumed := 0
	if conn.ConnectionState().DidResume {
		resumed = 1
	}
	fmt.Printf("ok resumed=%d early=0\n", resumed)
	must(conn.Close())
}

func main() {
	role := os.Args[1]
	must(flag.CommandLine.Parse(os.Args[2:]))
	config := configure()
	var listener net.Listener
	if role == "server" {
		var err error
		listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
		must(err)
	}
	for i := 0; i < *connections; i++ {
		connection(listener, config)
	}
}
