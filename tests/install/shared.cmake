# Builds the smallest library, shared, in a folder of its own, and looks at the file: pages of 16 KiB, only public names, its size.
#   cmake -DSOURCE=... -DSCRATCH=... -DBUDGET=bytes [-DCHAT_TEMPLATES=OFF] -P shared.cmake
include(${SOURCE}/tests/install/run.cmake)

set(build ${SCRATCH}/build)
if(NOT DEFINED CHAT_TEMPLATES)
  set(CHAT_TEMPLATES ON)
endif()
run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE} -B ${build} -DCMAKE_BUILD_TYPE=MinSizeRel -DBUILD_SHARED_LIBS=ON
  -DLINNET_XNNPACK=OFF -DLINNET_CPUINFO=OFF -DLINNET_CONVERT=OFF -DLINNET_TESTS=OFF -DLINNET_BENCH=OFF -DLINNET_EXAMPLES=OFF
  -DLINNET_CHAT_TEMPLATES=${CHAT_TEMPLATES}
  -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN} -DCMAKE_EXPORT_NO_PACKAGE_REGISTRY=ON)
run(${CMAKE_COMMAND} --build ${build})
set(library ${build}/lib/liblinnet.so)

# Segments of a library with larger alignment load on every page size up to it; 4 KiB ones do not load on newer phones.
run(${READELF} -lW ${library} OUTPUT segments)
string(REGEX MATCHALL "LOAD [^\n]*" loads "${segments}")
list(LENGTH loads count)
if(count EQUAL 0)
  message(FATAL_ERROR "readelf shows no segment to load:\n${segments}")
endif()
foreach(load ${loads})
  if(NOT load MATCHES " 0x4000$")
    message(FATAL_ERROR "this segment is not aligned to 16 KiB: ${load}")
  endif()
endforeach()

# Names that it shows: the public ones, and what the C++ library's own templates leave (weak, in namespace std).
run(${NM} -DC --defined-only ${library} OUTPUT names)
string(REPLACE "\n" ";" names "${names}")
foreach(name ${names})
  if(name MATCHES "^[0-9a-f]+ . linnet::(core|format|kernels|ops|plan|runtime|text|tasks|schema)::")
    message(FATAL_ERROR "the shared library shows a name that is not public: ${name}")
  endif()
endforeach()
foreach(expected "linnet::Model::open(char const" "linnet::plan(" "linnet::Session::create(" "linnet::generate(" "linnet::Embedder::create(")
  string(FIND "${names}" "${expected}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "the shared library does not show ${expected}...)")
  endif()
endforeach()

run(${STRIP} -o ${SCRATCH}/stripped.so ${library})
file(SIZE ${SCRATCH}/stripped.so bytes)
message(STATUS "the smallest library (chat templates ${CHAT_TEMPLATES}): ${bytes} bytes stripped, of a budget of ${BUDGET}")
if(bytes GREATER BUDGET)
  message(FATAL_ERROR "the smallest library has ${bytes} bytes; its budget is ${BUDGET} (tests/install/CMakeLists.txt)")
endif()
