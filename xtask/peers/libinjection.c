/*
 * The detectors of libinjection, as a libmodsecurity carries them, so that the verdicts of `seclang` can
 * be held against theirs. Built by the tests of `seclang` with `cc libinjection.c -ldl`.
 *
 *     libinjection LIBRARY < VALUES
 *
 * A value is a line with its length and then its bytes. For each it says a line: the fingerprint of the
 * SQL injection that it is or `-`, and 1 or 0 for whether it is a script in a page.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
    void *library = count > 1 ? dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    int (*sqli)(const char *, size_t, char *) = NULL;
    int (*xss)(const char *, size_t) = NULL;
    if (library) {
        *(void **)&sqli = dlsym(library, "libinjection_sqli");
        *(void **)&xss = dlsym(library, "libinjection_xss");
    }
    if (!sqli || !xss) {
        fprintf(stderr, "error: no libinjection in the library: %s\n", dlerror());
        return 1;
    }
    size_t length;
    while (scanf("%zu", &length) == 1 && getchar() == '\n') {
        /* One byte more than the value: the library looks at what follows a number. */
        char *value = calloc(1, length + 1);
        if (!value || fread(value, 1, length, stdin) != length) return 1;
        char print[16] = "";
        if (sqli(value, length, print) <= 0) snprintf(print, sizeof print, "-");
        printf("%s %d\n", print, xss(value, length) > 0);
        free(value);
    }
    return 0;
}
