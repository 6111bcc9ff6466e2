# Adds one page to a scratch copy of the project and nothing else, and looks whether the build then has one family more.
#   cmake -DSOURCE=... -DSCRATCH=... -DCOMPILER=... -P new_family.cmake
include(${SOURCE}/tests/install/run.cmake)

file(REMOVE_RECURSE ${SCRATCH})
foreach(part CMakeLists.txt cmake lib kernels_x86 kernels_arm schema tools)
  if(EXISTS ${SOURCE}/${part})
    file(COPY ${SOURCE}/${part} DESTINATION ${SCRATCH}/copy)
  endif()
endforeach()
file(WRITE ${SCRATCH}/copy/lib/convert/architectures/songbird.cpp [[
// A family that does not exist, for a test.
#include "convert/architecture.h"

namespace linnet::convert::pages {

extern const Architecture songbird = {"songbird", "a test", {"songbird"}, [](const Config&, Graph&) {}};

}  // namespace linnet::convert::pages
]])
run(${CMAKE_COMMAND} -G Ninja -S ${SCRATCH}/copy -B ${SCRATCH}/build -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=${COMPILER}
  -DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN} -DLINNET_TESTS=OFF -DLINNET_BENCH=OFF -DLINNET_EXAMPLES=OFF)
# The registry and the page, compiled as that build would.
set(objects lib/CMakeFiles/linnet_convert.dir/convert)
run(${CMAKE_COMMAND} --build ${SCRATCH}/build --target ${objects}/registry.cpp.o ${objects}/architectures/songbird.cpp.o)
run(${NM} -C ${SCRATCH}/build/${objects}/registry.cpp.o OUTPUT wanted)
run(${NM} -C ${SCRATCH}/build/${objects}/architectures/songbird.cpp.o OUTPUT given)
if(NOT wanted MATCHES " U linnet::convert::pages::songbird\n" OR NOT given MATCHES " [BDRV] linnet::convert::pages::songbird\n")
  message(FATAL_ERROR "the new page did not reach the list of families:\n${wanted}\n${given}")
endif()
