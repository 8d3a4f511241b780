# Other people's libraries. Each is taken from the system if it is there (Debian packages in scripts/), and fetched as
# a pinned, hashed release otherwise. Only the folder that needs one links it:
#   data: ZLIB, stb    quant: -    experiments: CLI11, nlohmann_json, fmt, stb    tests: GTest, benchmark, nlohmann_json

find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_path(STB_INCLUDE_DIR stb_image.h PATH_SUFFIXES stb REQUIRED)
add_library(qlimit_stb INTERFACE)
target_include_directories(qlimit_stb SYSTEM INTERFACE "${STB_INCLUDE_DIR}")

if(QLIMIT_BUILD_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark REQUIRED)
endif()
