using System.IO.MemoryMappedFiles;
using System.Text;

namespace Millrace.Fuzz;

/// <summary>
/// The input that runs now, in a mapped file: what a stack overflow or a killed endless loop leaves behind. An input that
/// is still running after <see cref="HangSeconds"/> ends the process.
/// </summary>
internal sealed class InFlight : IDisposable
{
    private const int HangSeconds = 20;
    private const int Capacity = 4 << 20;

    private readonly string _folder;
    private readonly string _path;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Timer _watch;
    private string _target = "";
    private long _started;

    public InFlight(string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        _path = Path.Combine(folder, "in-flight");
        Salvage();
        _file = MemoryMappedFile.CreateFromFile(_path, FileMode.Create, null, Capacity);
        _view = _file.CreateViewAccessor();
        _watch = new Timer(_ => Watch(), null, 1_000, 1_000);
    }

    public void Start(string target, byte[] input)
    {
        if (!ReferenceEquals(target, _target))
        {
            _target = target;
            var name = Encoding.ASCII.GetBytes(target.PadRight(32));
            _view.WriteArray(sizeof(int), name, 0, name.Length);
        }

        _view.WriteArray(sizeof(int) + 32, input, 0, Math.Min(input.Length, Capacity - 64));
        _view.Write(0, input.Length);
        Volatile.Write(ref _started, Environment.TickCount64);
    }

    public void End()
    {
        Volatile.Write(ref _started, 0);
        _view.Write(0, 0);
    }

    public void Dispose()
    {
        _watch.Dispose();
        _view.Dispose();
        _file.Dispose();
        File.Delete(_path);
    }

    private void Watch()
    {
        var started = Volatile.Read(ref _started);
        if (started == 0 || Environment.TickCount64 - started < HangSeconds * 1_000)
            return;
        Console.WriteLine($"{_target}: one input has run for {HangSeconds} s");
        _view.Flush();
        Salvage();
        Environment.FailFast("hang");
    }

    /// <summary>What the last process was doing when it died.</summary>
    private void Salvage()
    {
        if (!File.Exists(_path))
            return;
        var bytes = File.ReadAllBytes(_path);
        var length = bytes.Length > 64 ? BitConverter.ToInt32(bytes) : 0;
        if (length <= 0 || length > bytes.Length - 36)
            return;
        var target = Encoding.ASCII.GetString(bytes, sizeof(int), 32).TrimEnd();
        var kept = Path.Combine(_folder, $"{target}-died.bin");
        File.WriteAllBytes(kept, bytes[36..(36 + length)]);
        Console.WriteLine($"the process died in {target}: ./dev fuzz --target {target} --input {kept}");
    }
}
