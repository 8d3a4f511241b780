# Toolchain: builds for 64-bit Arm under Linux with Debian's cross compiler, runs the result under QEMU's user-mode
# emulation. `scripts/install arm` brings both, and unpacks the libraries that are linked into build/arm64-libraries;
# what is headers only, and the programs of the build (flatc), are the host's.
#
# The emulated processor is the richest that QEMU knows; QEMU_CPU=cortex-a53 in the environment chooses another.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH repo)
list(APPEND CMAKE_FIND_ROOT_PATH "${repo}/build/arm64-libraries")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

# The C library's folder, as the compiler knows it.
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=libc.so.6
                OUTPUT_VARIABLE libc OUTPUT_STRIP_TRAILING_WHITESPACE)
cmake_path(SET libc NORMALIZE "${libc}")
cmake_path(GET libc PARENT_PATH libc)  # .../lib
cmake_path(GET libc PARENT_PATH libc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${libc})
