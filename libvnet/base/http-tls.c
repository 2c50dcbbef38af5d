/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "libvnet/base/http-private.h"

DEFINE_AUTO(BIO *, BIO_free)
DEFINE_AUTO(X509 *, X509_free)

static const char *reason_of(unsigned long error)
{
	const char *reason = ERR_reason_error_string(error);

	if (ERR_SYSTEM_ERROR(error))
		return strerror(ERR_GET_REASON(error));
	return reason ? reason : "the connection broke";
}

static int refuse_file(struct problem *problem, const char *what, const char *file)
{
	unsigned long error = ERR_peek_error();
	int code = ERR_SYSTEM_ERROR(error) ? -(int)ERR_GET_REASON(error) : -EINVAL;

	problem_set(problem, code, "TLS: the %s cannot be used: %s: %s", what, file, reason_of(error));
	ERR_clear_error();
	return code;
}

/* OpenSSL's purpose "TLS client" also takes certificates that say nothing of their use; this asks that they do. */
static int verify(int ok, X509_STORE_CTX *store)
{
	X509 *cert = X509_STORE_CTX_get_current_cert(store);

	if (!ok || X509_STORE_CTX_get_error_depth(store) > 0)
		return ok;
	if ((X509_get_extension_flags(cert) & EXFLAG_XKUSAGE) && (X509_get_extended_key_usage(cert) & XKU_SSL_CLIENT))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_PURPOSE);
	return 0;
}

/* Every certificate of a peer must have its CA's list here, in date: what cannot be checked is refused. */
static int load_crl(SSL_CTX *context, const char *file, struct problem *problem)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

	if (!lookup || X509_load_crl_file(lookup, file, X509_FILETYPE_PEM) < 1)
		return refuse_file(problem, "revocation list", file);
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
	return 0;
}

static int load_ca(SSL_CTX *context, const char *file, struct problem *problem)
{
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);

	if (!names)
		return refuse_file(problem, "file of CAs", file);
	SSL_CTX_set_client_CA_list(context, names);
	if (SSL_CTX_load_verify_file(context, file) != 1)
		return refuse_file(problem, "file of CAs", file);
	return 0;
}

/* Tickets and sessions are off: each connection shows its certificate, so a new revocation list counts at once. */
static int set_rules(SSL_CTX *context, struct problem *problem)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT) == 1 && SSL_CTX_set_num_tickets(context, 0) == 1)
		return 0;
	return problem_set(problem, -ENOTSUP, "TLS: this OpenSSL cannot do TLS 1.3");
}

int http_tls_context(const struct http_tls *files, SSL_CTX **context_out, struct problem *problem)
{
	ERR_clear_error();
	AUTO(SSL_CTX_free) SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (!context)
		return problem_set(problem, -ENOMEM, "TLS: no memory");
	int r = set_rules(context, problem);
	if (r < 0)
		return r;
	if (SSL_CTX_use_certificate_chain_file(context, files->cert_file) != 1)
		return refuse_file(problem, "certificate", files->cert_file);
	if (SSL_CTX_use_PrivateKey_file(context, files->key_file, SSL_FILETYPE_PEM) != 1)
		return refuse_file(problem, "private key", files->key_file);
	r = load_ca(context, files->ca_file, problem);
	if (r == 0 && files->crl_file)
		r = load_crl(context, files->crl_file, problem);
	if (r < 0)
		return r;
	*context_out = take(context);
	return 0;
}

char *http_tls_peer(SSL *ssl)
{
	AUTO(X509_free) X509 *cert = SSL_get1_peer_certificate(ssl);
	AUTO(BIO_free) BIO *text = BIO_new(BIO_s_mem());
	char *bytes;

	if (!cert || !text || X509_NAME_print_ex(text, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253) < 0)
		return NULL;
	long n = BIO_get_mem_data(text, &bytes);
	return strndup(bytes, n);
}

const char *http_tls_refusal(SSL *ssl, unsigned long error)
{
	long verdict = SSL_get_verify_result(ssl);

	return verdict == X509_V_OK ? reason_of(error) : X509_verify_cert_error_string(verdict);
}
