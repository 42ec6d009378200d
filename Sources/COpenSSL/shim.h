#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

// OpenSSL would put the path of this file into every program.
#define OPENSSL_NO_FILENAMES

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

// The certificate that the peer showed on this connection; to be freed. OpenSSL 3.0 renamed the function.
static inline X509 *_Nullable copenssl_peer_certificate(void *ssl) {
    return SSL_get1_peer_certificate((SSL *)ssl);
}

// The SHA-256 digest of the certificate's SubjectPublicKeyInfo in DER: 32 bytes. Returns 1 on success.
static inline int copenssl_key_digest(X509 *certificate, unsigned char *digest) {
    unsigned char *der = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (length <= 0) return 0;
    unsigned int size = 0;
    int done = EVP_Digest(der, (size_t)length, digest, &size, EVP_sha256(), NULL);
    OPENSSL_free(der);
    return done == 1 && size == 32;
}

// The SHA-256 digest of the certificate: 32 bytes. Returns 1 on success.
static inline int copenssl_fingerprint(X509 *certificate, unsigned char *digest) {
    unsigned int size = 0;
    return X509_digest(certificate, EVP_sha256(), digest, &size) == 1 && size == 32;
}

// A distinguished name in the form of RFC 2253, as UTF-8; to be freed with free(). NULL on failure.
static inline char *_Nullable copenssl_name(const X509_NAME *name) {
    BIO *memory = BIO_new(BIO_s_mem());
    if (!memory) return NULL;
    char *text = NULL, *bytes = NULL;
    if (X509_NAME_print_ex(memory, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long length = BIO_get_mem_data(memory, &bytes);
        text = strndup(bytes ? bytes : "", length > 0 ? (size_t)length : 0);
    }
    BIO_free(memory);
    return text;
}

static inline char *_Nullable copenssl_subject(X509 *certificate) {
    return copenssl_name(X509_get_subject_name(certificate));
}

static inline char *_Nullable copenssl_issuer(X509 *certificate) {
    return copenssl_name(X509_get_issuer_name(certificate));
}

// Start and end of the validity, in UTC. Return 1 on success.
static inline int copenssl_not_before(X509 *certificate, struct tm *moment) {
    return ASN1_TIME_to_tm(X509_get0_notBefore(certificate), moment);
}

static inline int copenssl_not_after(X509 *certificate, struct tm *moment) {
    return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), moment);
}

// Never asks a person for a pass phrase, but notes that one was needed.
static inline int copenssl_no_passphrase(char *buffer, int size, int writing, void *asked) {
    (void)buffer; (void)size; (void)writing;
    *(int *)asked = 1;
    return -1;
}

// The first certificate in PEM text; to be freed. NULL when there is none.
static inline X509 *_Nullable copenssl_read_certificate(const void *bytes, int length) {
    int asked = 0;
    ERR_clear_error();
    BIO *memory = BIO_new_mem_buf(bytes, length);
    if (!memory) return NULL;
    X509 *certificate = PEM_read_bio_X509(memory, NULL, copenssl_no_passphrase, &asked);
    BIO_free(memory);
    ERR_clear_error();
    return certificate;
}

// The first private key in PEM text; to be freed. NULL when there is none; `encrypted` tells whether that was why.
static inline EVP_PKEY *_Nullable copenssl_read_key(const void *bytes, int length, int *encrypted) {
    *encrypted = 0;
    ERR_clear_error();
    BIO *memory = BIO_new_mem_buf(bytes, length);
    if (!memory) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(memory, NULL, copenssl_no_passphrase, encrypted);
    BIO_free(memory);
    ERR_clear_error();
    return key;
}

// Whether the key belongs to the certificate.
static inline int copenssl_key_matches(X509 *certificate, EVP_PKEY *key) {
    int matches = X509_check_private_key(certificate, key) == 1;
    ERR_clear_error();
    return matches;
}

typedef int (*copenssl_verify_callback)(X509_STORE_CTX *store, void *context);

// Has the callback decide about the peer's certificate during the handshake, before anything is sent, in place of
// OpenSSL's own verification. Renegotiation, which would ask again later, is switched off.
static inline void copenssl_verify_with(void *ssl_context, copenssl_verify_callback callback, void *context) {
    SSL_CTX *tls = (SSL_CTX *)ssl_context;
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(tls, callback, context);
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION);
}

// Answers for the callback above.
static inline int copenssl_accept(X509_STORE_CTX *store) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static inline int copenssl_refuse(X509_STORE_CTX *store) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

#endif
