// What a check costs at least: a libcurl program that gets the device list over one kept connection and discards it.
//
// usage: check_floor HOST PORT REQUESTS CA CERTIFICATE KEY
// Prints the CPU time of one request in milliseconds, the number of connections, and the resident memory in kB.

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static size_t discard(char *data, size_t size, size_t count, void *total) {
    (void)data;
    *(size_t *)total += size * count;
    return size * count;
}

static double cpu_milliseconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3
        + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

int main(int count, char **arguments) {
    if (count != 7) {
        fprintf(stderr, "usage: check_floor HOST PORT REQUESTS CA CERTIFICATE KEY\n");
        return 2;
    }
    char url[512];
    snprintf(url, sizeof url, "https://%s:%s/rest/v1/device", arguments[1], arguments[2]);
    int requests = atoi(arguments[3]);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *handle = curl_easy_init();
    if (!handle || requests < 1) return 1;
    size_t total = 0;
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_CAINFO, arguments[4]);
    curl_easy_setopt(handle, CURLOPT_SSLCERT, arguments[5]);
    curl_easy_setopt(handle, CURLOPT_SSLKEY, arguments[6]);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &total);
    long connections = 0, opened = 0;
    double start = 0;
    for (int request = -3; request < requests; request++) {
        if (request == 0) start = cpu_milliseconds();
        CURLcode code = curl_easy_perform(handle);
        if (code != CURLE_OK) {
            fprintf(stderr, "check_floor: %s: %s\n", url, curl_easy_strerror(code));
            return 1;
        }
        curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, &opened);
        connections += opened;
    }
    double each = (cpu_milliseconds() - start) / requests;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%.3f %ld %ld\n", each, connections, usage.ru_maxrss);
    curl_easy_cleanup(handle);
    return 0;
}
