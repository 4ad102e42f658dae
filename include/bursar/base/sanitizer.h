#pragma once

// Whether ThreadSanitizer watches this build: it does not see through inline assembly.
#if defined(__SANITIZE_THREAD__)
#define BURSAR_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BURSAR_THREAD_SANITIZER 1
#endif
#endif
#ifndef BURSAR_THREAD_SANITIZER
#define BURSAR_THREAD_SANITIZER 0
#endif
