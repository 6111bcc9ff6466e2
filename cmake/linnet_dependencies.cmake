# Packages, all from the distribution (tools/setup.sh installs them).

find_package(flatbuffers CONFIG REQUIRED)
find_program(FLATC flatc REQUIRED)

# Unicode properties; used in lib/text/unicode.cpp and normal_form.cpp only.
find_path(UTF8PROC_INCLUDE_DIR utf8proc.h REQUIRED)
find_library(UTF8PROC_LIBRARY utf8proc REQUIRED)
add_library(utf8proc::utf8proc UNKNOWN IMPORTED)
set_target_properties(utf8proc::utf8proc PROPERTIES
  IMPORTED_LOCATION ${UTF8PROC_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${UTF8PROC_INCLUDE_DIR})

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
