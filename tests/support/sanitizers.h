// Whether the tests run under a sanitizer, and so five to ten times slower.
//
// What takes minutes there and only repeats, in other processes, what other tests do in one, is skipped:
//
//   if (kUnderSanitizer) GTEST_SKIP();
#pragma once

namespace qlimit {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kUnderSanitizer = true;
#else
inline constexpr bool kUnderSanitizer = false;
#endif

}  // namespace qlimit
