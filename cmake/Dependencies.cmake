# Other people's libraries. Each is taken from the system if it is there (Debian's packages: scripts/install), and
# fetched as a pinned, hashed release otherwise. Only the folder that needs one links it:
#   data: ZLIB, stb    quant: FlatBuffers    experiments: ZLIB, CLI11, nlohmann_json, fmt, stb    tests: GTest, benchmark, nlohmann_json

include(FetchContent)
set(QLIMIT_FETCH missing CACHE STRING "Libraries to download: 'missing' ones, 'all' or 'none'")
set_property(CACHE QLIMIT_FETCH PROPERTY STRINGS missing all none)

# qlimit_fetch(NAME URL SHA256): makes a release part of the build, and sets NAME_FOUND, NAME_SOURCE_DIR and
# NAME_BINARY_DIR. Sources that are on the disk already serve as well: -DFETCHCONTENT_SOURCE_DIR_<NAME>=folder.
function(qlimit_fetch name url sha256)
  set(${name}_FOUND OFF PARENT_SCOPE)
  string(TOUPPER ${name} upper)
  if(QLIMIT_FETCH STREQUAL "none")
    return()
  endif()
  string(REGEX MATCH "\\.(tar\\.gz|tar\\.xz|zip)$" suffix "${url}")
  string(SUBSTRING ${sha256} 0 8 version)  # another release has another file
  set(archive "${PROJECT_BINARY_DIR}/downloads/${name}-${version}${suffix}")
  if(NOT EXISTS "${archive}" AND NOT FETCHCONTENT_SOURCE_DIR_${upper})
    message(STATUS "Fetching ${url}")
    file(DOWNLOAD "${url}" "${archive}.part" STATUS status INACTIVITY_TIMEOUT 30 TLS_VERIFY ON)
    if(NOT status MATCHES "^0;")
      message(STATUS "  failed: ${status}")
      return()
    endif()
    file(SHA256 "${archive}.part" found)
    if(NOT found STREQUAL sha256)
      message(STATUS "  failed: expected SHA-256 ${sha256}, found ${found}")
      file(REMOVE "${archive}.part")
      return()
    endif()
    file(RENAME "${archive}.part" "${archive}")
  endif()
  FetchContent_Declare(${name} SYSTEM URL "${archive}" URL_HASH SHA256=${sha256} DOWNLOAD_EXTRACT_TIMESTAMP OFF)
  FetchContent_MakeAvailable(${name})
  FetchContent_GetProperties(${name} SOURCE_DIR source BINARY_DIR binary)
  set(${name}_FOUND ON PARENT_SCOPE)
  set(${name}_SOURCE_DIR "${source}" PARENT_SCOPE)
  set(${name}_BINARY_DIR "${binary}" PARENT_SCOPE)
endfunction()

# qlimit_dependency(NAME URL SHA256): the library of find_package(NAME), or the release at URL; sets NAME_FOUND.
macro(qlimit_dependency name url sha256)
  if(NOT QLIMIT_FETCH STREQUAL "all")
    find_package(${name} QUIET)
  endif()
  if(NOT ${name}_FOUND)
    qlimit_fetch(${name} ${url} ${sha256})
  endif()
endmacro()

function(qlimit_require)
  foreach(name IN LISTS ARGN)
    if(NOT ${name}_FOUND)
      list(APPEND missing ${name})
    endif()
  endforeach()
  if(missing)
    list(JOIN missing ", " missing)
    message(FATAL_ERROR "Neither found nor fetched: ${missing}. On Debian run scripts/install; elsewhere install "
      "these libraries with their headers, or configure again with a network.")
  endif()
endfunction()

# What the fetched releases would build besides the library.
set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)  # lets these variables overrule options of the same name
set(ZLIB_BUILD_EXAMPLES OFF)
set(CLI11_BUILD_TESTS OFF)
set(CLI11_BUILD_EXAMPLES OFF)
set(JSON_BuildTests OFF)
set(INSTALL_GTEST OFF)
set(BUILD_GMOCK OFF)
set(BENCHMARK_ENABLE_TESTING OFF)
set(BENCHMARK_ENABLE_INSTALL OFF)
set(BENCHMARK_ENABLE_WERROR OFF)
set(FLATBUFFERS_BUILD_TESTS OFF)
set(FLATBUFFERS_BUILD_FLATHASH OFF)
set(FLATBUFFERS_INSTALL OFF)
set(FLATBUFFERS_LIBCXX_WITH_CLANG OFF)

qlimit_dependency(ZLIB
  https://github.com/madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz
  9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23)
if(ZLIB_FOUND AND NOT TARGET ZLIB::ZLIB)
  target_include_directories(zlibstatic SYSTEM INTERFACE "${ZLIB_SOURCE_DIR}" "${ZLIB_BINARY_DIR}")
  add_library(ZLIB::ZLIB ALIAS zlibstatic)
endif()

qlimit_dependency(fmt
  https://github.com/fmtlib/fmt/archive/10.2.1.tar.gz
  1250e4cc58bf06ee631567523f48848dc4596133e163f02615c97f78bab6c811)
qlimit_dependency(nlohmann_json
  https://github.com/nlohmann/json/releases/download/v3.12.0/json.tar.xz
  42f6e95cad6ec532fd372391373363b62a14af6d771056dbfc86160e6dfff7aa)
qlimit_dependency(CLI11
  https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.2.tar.gz
  f2d893a65c3b1324c50d4e682c0cdc021dd0477ae2c048544f39eed6654b699a)

# stb has neither releases nor a package description: three headers of one commit.
if(NOT QLIMIT_FETCH STREQUAL "all")
  find_path(STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb)
endif()
if(STB_INCLUDE_DIR)
  set(stb_FOUND ON)
  set(stb_SOURCE_DIR "${STB_INCLUDE_DIR}")
else()
  qlimit_fetch(stb
    https://github.com/nothings/stb/archive/8b5f1f37b5b75829fc72d38e7b5d4bcbf8a26d55.zip
    93a16ee3e866e719feec459f6f132cce932c5ec751eb38e3ec1975f911353d2e)
endif()
add_library(qlimit_stb INTERFACE)
target_include_directories(qlimit_stb SYSTEM INTERFACE "${stb_SOURCE_DIR}")

# A library and its compiler flatc, which must be of one version: code that flatc writes belongs to its own library.
find_program(QLIMIT_FLATC flatc)
if(NOT QLIMIT_FETCH STREQUAL "all" AND QLIMIT_FLATC)
  find_package(FlatBuffers QUIET)
  if(NOT TARGET flatbuffers::flatbuffers)
    set(FlatBuffers_FOUND OFF)  # some distributions have the shared library alone, under another name
  endif()
endif()
if(NOT FlatBuffers_FOUND)
  qlimit_fetch(FlatBuffers
    https://github.com/google/flatbuffers/archive/refs/tags/v23.5.26.tar.gz
    1cce06b17cddd896b6d73cc047e36a254fb8df4d7ea18a46acf16c4c0cd3f3f3)
  set(QLIMIT_FLATC flatc)  # the target that builds it
  if(FlatBuffers_FOUND AND NOT TARGET flatbuffers::flatbuffers)
    add_library(flatbuffers::flatbuffers ALIAS flatbuffers)
  endif()
endif()

qlimit_require(ZLIB FlatBuffers fmt nlohmann_json CLI11 stb)

if(QLIMIT_BUILD_TESTS)
  qlimit_dependency(GTest
    https://github.com/google/googletest/archive/refs/tags/v1.14.0.tar.gz
    8ad598c73ad796e0d8280b082cebd82a630d73e73cd3c70057938a6501bba5d7)
  qlimit_dependency(benchmark
    https://github.com/google/benchmark/archive/refs/tags/v1.8.3.tar.gz
    6bc180a57d23d4d9515519f92b0c83d61b05b5bab188961f36ac7b06b0d9e9ce)
  if(NOT GTest_FOUND OR NOT benchmark_FOUND)
    message(WARNING "No tests in this build: GoogleTest or Google Benchmark was neither found nor fetched.")
    set(QLIMIT_BUILD_TESTS OFF)
  endif()
endif()
