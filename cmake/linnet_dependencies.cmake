# Packages, all from the distribution (tools/setup.sh installs them).

find_package(flatbuffers CONFIG REQUIRED)
find_program(FLATC flatc REQUIRED)

if(LINNET_CPUINFO)
  find_package(cpuinfo CONFIG REQUIRED)
endif()
if(LINNET_XNNPACK)
  find_path(XNNPACK_INCLUDE_DIR xnnpack.h REQUIRED)
  find_library(XNNPACK_LIBRARY XNNPACK REQUIRED)
  find_library(PTHREADPOOL_LIBRARY pthreadpool REQUIRED)
  add_library(XNNPACK::XNNPACK UNKNOWN IMPORTED)
  set_target_properties(XNNPACK::XNNPACK PROPERTIES
    IMPORTED_LOCATION ${XNNPACK_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${XNNPACK_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES ${PTHREADPOOL_LIBRARY})
endif()
if(LINNET_CONVERT)
  find_package(nlohmann_json REQUIRED)
  find_package(CLI11 CONFIG REQUIRED)
  find_package(fmt REQUIRED)
endif()
if(LINNET_TESTS)
  find_package(doctest CONFIG REQUIRED)
endif()
