# What a build may choose, and what every target of the project is compiled with.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()

option(QLIMIT_BUILD_TESTS "Build the tests and benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(QLIMIT_WERROR "Treat warnings as errors" OFF)
option(QLIMIT_FUZZ "Instrument every target for libFuzzer and build tests/fuzz; needs clang" OFF)
set(QLIMIT_SANITIZE "" CACHE STRING "Sanitizers for every target: 'address,undefined' or 'thread'")

find_package(OpenMP REQUIRED COMPONENTS CXX)

add_library(qlimit_flags INTERFACE)
# No fast-math, and no contraction behind our back: integer scales and gradients are what the source says. The one
# place that wants fused multiply-adds (core/kernels) asks for them itself.
target_compile_options(qlimit_flags INTERFACE -Wall -Wextra -Wshadow -ffp-contract=off)
if(QLIMIT_WERROR)
  target_compile_options(qlimit_flags INTERFACE -Werror)
endif()
if(QLIMIT_SANITIZE)
  # -O1 and line numbers alone: compiling is most of the time that sanitized tests take.
  target_compile_options(qlimit_flags INTERFACE
    -fsanitize=${QLIMIT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
  target_link_options(qlimit_flags INTERFACE -fsanitize=${QLIMIT_SANITIZE})
endif()
if(QLIMIT_FUZZ)
  # Instrumented loops cannot be vectorized, and clang says so for every `omp simd`.
  target_compile_options(qlimit_flags INTERFACE -fsanitize=fuzzer-no-link -Wno-pass-failed)
endif()
target_link_libraries(qlimit_flags INTERFACE OpenMP::OpenMP_CXX)
