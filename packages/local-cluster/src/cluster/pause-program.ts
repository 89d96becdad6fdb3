/**
 * The program of the pod sandbox: it holds the pod's namespaces and does nothing else. It is a static Linux program of
 * under 300 bytes, written here because no compiler and no registry is needed for it this way.
 *
 *     sigaction(SIGCHLD, { SIG_IGN });   // children that end are reaped by the kernel
 *     for (;;) wait for a signal;
 */
const loadAddress = 0x40_0000;
const fileHeaderSize = 64;
const programHeaderSize = 56;
const codeOffset = fileHeaderSize + programHeaderSize;

/** `struct sigaction` of the kernel: handler SIG_IGN, no flags, no restorer, empty mask. */
const ignoreAction = Buffer.alloc(32);
ignoreAction.writeBigUInt64LE(1n, 0);

const childSignal = 17;

/** @throws Error for processors other than x64 and arm64, on which no tool is available either */
export function pauseProgram(architecture: string): Buffer {
  switch (architecture) {
    case "x64":
      return elf(62, x64Code());
    case "arm64":
      return elf(183, arm64Code());
    default:
      throw new Error(`no pause program for the processor architecture ${architecture}`);
  }
}

function x64Code(): Buffer {
  const length = 34;
  const actionAddress = Buffer.alloc(4);
  actionAddress.writeUInt32LE(loadAddress + codeOffset + length);
  const code = Buffer.from([
    ...[0xb8, 13, 0, 0, 0], // mov eax, SYS_rt_sigaction
    ...[0xbf, childSignal, 0, 0, 0], // mov edi, SIGCHLD
    ...[0xbe, ...actionAddress], // mov esi, action
    ...[0x31, 0xd2], // xor edx, edx
    ...[0x41, 0xba, 8, 0, 0, 0], // mov r10d, 8
    ...[0x0f, 0x05], // syscall
    ...[0xb8, 34, 0, 0, 0], // again: mov eax, SYS_pause
    ...[0x0f, 0x05], // syscall
    ...[0xeb, 0xf7], // jmp again
  ]);
  return Buffer.concat([code, ignoreAction]);
}

function arm64Code(): Buffer {
  const move = (register: number, value: number) => 0xd2800000 + value * 32 + register;
  const systemCall = 0xd4000001;
  const instructions = [
    move(8, 134), // SYS_rt_sigaction
    move(0, childSignal),
    0, // adr x1, action: set below, once the length is known
    move(2, 0),
    move(3, 8),
    systemCall,
    move(0, 0), // again:
    move(1, 0),
    move(2, 0),
    move(3, 0),
    move(8, 73), // SYS_ppoll, without descriptors and without a time limit
    systemCall,
    0x14000000 + (0x4000000 - 6), // b again
  ];
  const wordsToAction = instructions.length - 2;
  instructions[2] = 0x10000000 + wordsToAction * 32 + 1;
  const code = Buffer.alloc(instructions.length * 4);
  for (const [index, instruction] of instructions.entries()) code.writeUInt32LE(instruction, index * 4);
  return Buffer.concat([code, ignoreAction]);
}

/** A static 64-bit little-endian executable with one segment, code first. */
function elf(machine: number, code: Buffer): Buffer {
  const header = Buffer.alloc(codeOffset);
  const size = codeOffset + code.length;
  header.write("\x7fELF", 0, "latin1");
  header.set([2, 1, 1], 4); // 64 bits, little endian, version 1
  header.writeUInt16LE(2, 16); // executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(loadAddress + codeOffset), 24); // entry
  header.writeBigUInt64LE(BigInt(fileHeaderSize), 32); // program headers
  header.writeUInt16LE(fileHeaderSize, 52);
  header.writeUInt16LE(programHeaderSize, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, fileHeaderSize); // load
  header.writeUInt32LE(5, fileHeaderSize + 4); // readable, executable
  header.writeBigUInt64LE(BigInt(loadAddress), fileHeaderSize + 16);
  header.writeBigUInt64LE(BigInt(loadAddress), fileHeaderSize + 24);
  header.writeBigUInt64LE(BigInt(size), fileHeaderSize + 32);
  header.writeBigUInt64LE(BigInt(size), fileHeaderSize + 40);
  header.writeBigUInt64LE(0x10000n, fileHeaderSize + 48);
  return Buffer.concat([header, code]);
}
