# qlimit_library(NAME [FLOAT_ONLY] SOURCES file... [USES folder...] [LINKS target...])
#
# One folder, one target `qlimit_NAME`. USES names the folders below that it may include from: a folder sees only
# what its USES export, because every folder's headers are reached through its own include directory (a link named
# after the folder), so an include from above does not compile.
#
# The same sources are compiled once more as `qlimit_NAME_double`, where `Real` is double: gradient checks against
# central differences are sharp there (relative error under 1e-6) and blunt in float. A folder that computes no
# gradients says FLOAT_ONLY and has no such twin.
function(qlimit_library name)
  cmake_parse_arguments(ARG "FLOAT_ONLY" "" "SOURCES;USES;LINKS" ${ARGN})
  set(own_headers "${PROJECT_BINARY_DIR}/include/${name}")
  file(MAKE_DIRECTORY "${own_headers}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${own_headers}/${name}" SYMBOLIC)
  set(reals float double)
  if(ARG_FLOAT_ONLY)
    set(reals float)
  endif()
  foreach(real IN LISTS reals)
    set(suffix "")
    if(real STREQUAL "double")
      set(suffix "_double")
    endif()
    set(target qlimit_${name}${suffix})
    add_library(${target} STATIC ${ARG_SOURCES})
    target_include_directories(${target} PUBLIC "${own_headers}")
    list(TRANSFORM ARG_USES REPLACE "(.+)" "qlimit_\\1${suffix}" OUTPUT_VARIABLE below)
    target_link_libraries(${target} PUBLIC qlimit_flags ${below} ${ARG_LINKS})
    if(real STREQUAL "double")
      target_compile_definitions(${target} PUBLIC QLIMIT_REAL_DOUBLE)
      set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
  endforeach()
endfunction()
