# Debian packages by CPack: `scripts/dev package`. spillway is what runs jobs; spillway-dev is what
# builds them. What a program links is found by dpkg-shlibdeps; what a person needs stands here.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME spillway)
set(CPACK_PACKAGE_CONTACT "The Spillway developers <spillway@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
# With DESTDIR the prefix is /usr while files are installed, and so it is in the systemd units.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)

set(CPACK_COMPONENTS_ALL runtime dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME spillway)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION science)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS spillway-dev)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
  "The command with its built-in jobs, its daemons and their systemd units. The shuffle spills to
 disk what does not fit in memory; jobs run on one machine or on a cluster.")

# A plugin is built on the machine of its author: by hand, or by `spillway run DIR`.
set(CPACK_DEBIAN_DEV_PACKAGE_NAME spillway-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "spillway (= ${PROJECT_VERSION}), cmake (>= 3.25), make | ninja-build, g++ (>= 4:12) | clang")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS "libgtest-dev, pkg-config")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "libprotobuf-dev, libsimdjson-dev")
set(CPACK_COMPONENT_DEV_DESCRIPTION
  "Headers, test kit, CMake package and project templates for jobs of one's own: 'spillway new'
 makes a project, 'spillway run' builds and runs it.")

install(FILES LICENSE DESTINATION share/doc/spillway RENAME copyright COMPONENT runtime)
install(FILES LICENSE DESTINATION share/doc/spillway-dev RENAME copyright COMPONENT dev)
include(CPack)
