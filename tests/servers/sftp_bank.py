"""A bank's SFTP server for the tests, as a process of its own: `sftp_bank.py FOLDER PORT HOST_KEY_FILE`.

It is a real SSH server with a real folder, which whoever signs in with the test's password sees as the root.
"""

import asyncio
import signal
import sys

import asyncssh

PASSWORD = "the password of the tests"
HOST = "127.0.0.1"


class Doorkeeper(asyncssh.SSHServer):
    """Lets in whoever knows the password."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == "opora" and password == PASSWORD


async def serve(folder: str, port: int, host_key: str) -> None:
    """Serve until the process is ended."""

    def rooted(channel: "asyncssh.SSHServerChannel[bytes]") -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(channel, chroot=folder.encode())

    server = await asyncssh.listen(
        HOST, port, server_factory=Doorkeeper, server_host_keys=[host_key], sftp_factory=rooted, config=None
    )
    await server.wait_closed()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing here is worth an orderly end
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
