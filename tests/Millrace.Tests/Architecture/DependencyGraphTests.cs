using System.Xml.Linq;

namespace Millrace.Tests.Architecture;

/// <summary>Dependencies point one way; the pure projects stand on the base class library alone.</summary>
public sealed class DependencyGraphTests
{
    /// <summary>Each project and those it may name; what lies deeper comes with them.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Millrace.Media"] = [],
        ["Millrace.Protocols"] = ["Millrace.Media"],
        ["Millrace.Streams"] = ["Millrace.Protocols"],
        ["Millrace.Node"] = ["Millrace.Streams"],
        ["Millrace.Control"] = [],
        ["Millrace"] = ["Millrace.Node", "Millrace.Control"],
    };

    private static readonly string[] Pure = ["Millrace.Media", "Millrace.Protocols", "Millrace.Streams"];

    private static readonly Dictionary<string, XDocument> Projects = Directory
        .EnumerateFiles(Path.Combine(RepositoryRoot.Path, "src"), "*.csproj", SearchOption.AllDirectories)
        .ToDictionary(f => Path.GetFileNameWithoutExtension(f), f => XDocument.Load(f));

    [Fact]
    public void Every_project_has_its_place_in_the_graph()
    {
        Projects.Keys.Except(Allowed.Keys).ShouldBeEmpty();
        Allowed.Keys.Except(Projects.Keys).Except(["Millrace.Control"]).ShouldBeEmpty();
    }

    [Fact]
    public void A_project_refers_only_to_the_one_below_it()
    {
        foreach (var (name, project) in Projects)
        {
            var references = Items(project, "ProjectReference").Select(p => Path.GetFileNameWithoutExtension(p.Replace('\\', '/')));
            references.Except(Allowed[name]).ShouldBeEmpty($"{name} must not refer to them");
        }
    }

    [Fact]
    public void Pure_projects_are_marked_so_and_bring_no_packages()
    {
        foreach (var name in Pure)
        {
            var project = Projects[name];
            project.Descendants("MillracePure").Select(e => e.Value).ShouldBe(["true"], name);
            Items(project, "FrameworkReference").ShouldBeEmpty(name);
            Items(project, "PackageReference").ShouldBeEmpty(name);
            Items(project, "Reference").ShouldBeEmpty(name);
        }
    }

    [Fact]
    public void Only_pure_projects_are_marked_pure() =>
        Projects.Where(p => p.Value.Descendants("MillracePure").Any()).Select(p => p.Key).Order().ShouldBe(Pure.Order());

    [Fact]
    public void What_all_projects_get_is_for_the_compiler_only()
    {
        var shared = XDocument.Load(Path.Combine(RepositoryRoot.Path, "Directory.Build.props"));
        var packages = shared.Descendants("PackageReference")
            .Where(p => p.Parent!.Attribute("Condition")?.Value.Contains("IsTestProject") != true);
        packages.ShouldAllBe(p => p.Attribute("PrivateAssets")!.Value == "all");
    }

    private static IEnumerable<string> Items(XDocument project, string kind) =>
        project.Descendants(kind).Select(e => e.Attribute("Include")!.Value);
}
