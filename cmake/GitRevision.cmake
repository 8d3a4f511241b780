# Run at every build (cmake -P): writes git_revision.h if the revision has changed, so that a result file names the
# sources it came from. Without git, or outside a clone, the revision is "unknown".
#   -DSOURCE=folder of the sources  -DHEADER=file to write  -DBUILD_TYPE=Release
set(revision "unknown")
find_program(GIT git)
if(GIT)
  execute_process(COMMAND "${GIT}" describe --always --dirty --abbrev=12 --exclude=* WORKING_DIRECTORY "${SOURCE}"
                  OUTPUT_VARIABLE output RESULT_VARIABLE status ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(status EQUAL 0)
    set(revision "${output}")
  endif()
endif()

set(content "#pragma once

namespace qlimit {
inline constexpr const char* kGitRevision = \"${revision}\";
inline constexpr const char* kBuildType = \"${BUILD_TYPE}\";
}  // namespace qlimit
")
set(before "")
if(EXISTS "${HEADER}")
  file(READ "${HEADER}" before)
endif()
if(NOT content STREQUAL before)
  file(WRITE "${HEADER}" "${content}")
endif()
