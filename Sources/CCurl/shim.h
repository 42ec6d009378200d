#ifndef CCURL_SHIM_H
#define CCURL_SHIM_H

// Options that later versions of libcurl call deprecated are the only ones that 7.81 knows.
#define CURL_DISABLE_DEPRECATION 1
#include <curl/curl.h>
#include <string.h>
#include <sys/socket.h>

// Swift cannot call variadic functions: one typed wrapper for each type of argument.

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_list(CURL *handle, CURLoption option, struct curl_slist *_Nullable value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*ccurl_data_callback)(char *data, size_t size, size_t count, void *context);

static inline CURLcode ccurl_set_data_callback(CURL *handle, CURLoption option, ccurl_data_callback callback) {
    return curl_easy_setopt(handle, option, callback);
}

typedef CURLcode (*ccurl_ssl_callback)(CURL *handle, void *ssl_context, void *context);

static inline CURLcode ccurl_set_ssl_callback(CURL *handle, ccurl_ssl_callback callback) {
    return curl_easy_setopt(handle, CURLOPT_SSL_CTX_FUNCTION, callback);
}

static inline curl_socket_t ccurl_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Keeps the connections from the programs that this process starts.
static inline CURLcode ccurl_close_sockets_on_exec(CURL *handle) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, ccurl_open_socket);
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLcode ccurl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode ccurl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline const char *_Nullable ccurl_get_redirect(CURL *handle) {
    char *value = NULL;
    return curl_easy_getinfo(handle, CURLINFO_REDIRECT_URL, &value) == CURLE_OK ? value : NULL;
}

// The SSL object of the connection in use, when libcurl's TLS is OpenSSL; only valid during the transfer.
static inline void *_Nullable ccurl_get_ssl(CURL *handle) {
    struct curl_tlssessioninfo *session = NULL;
    if (curl_easy_getinfo(handle, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || !session) return NULL;
    return session->backend == CURLSSLBACKEND_OPENSSL ? session->internals : NULL;
}

// The next finished transfer and its result, or NULL.
static inline CURL *_Nullable ccurl_next_finished(CURLM *multi, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return message->easy_handle;
        }
    }
    return NULL;
}

// Whether libcurl's TLS library is OpenSSL itself.
static inline int ccurl_uses_openssl(void) {
    const char *name = curl_version_info(CURLVERSION_NOW)->ssl_version;
    return name && !strncmp(name, "OpenSSL/", 8);
}

static inline const char *_Nonnull ccurl_tls_name(void) {
    const char *name = curl_version_info(CURLVERSION_NOW)->ssl_version;
    return name ? name : "no TLS";
}

#endif
