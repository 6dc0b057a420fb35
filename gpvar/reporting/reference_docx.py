"""The Word file that pandoc takes styles, margins, header and footer from; made here, so nothing is hidden in it."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
BLUE = "12436D"


def build(banner: str, watermark: str = "", half_points: int = 24) -> bytes:
    """Return the bytes of a reference document.

    Parameters
    ----------
    banner
        Printed at the head of every page; empty for none.
    watermark
        A word drawn large and pale behind every page; empty for none.
    half_points
        The size of body text; that of headings, tables and notes is their own.
    """
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _package_relations(),
        "word/document.xml": _document(),
        "word/_rels/document.xml.rels": _document_relations(),
        "word/styles.xml": _styles(half_points),
        "word/header1.xml": _header(banner, watermark),
        "word/footer1.xml": _footer(),
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, _HEAD + text)
    return target.getvalue()


def _content_types() -> str:
    kinds = {"document": "document.main", "styles": "styles", "header1": "header", "footer1": "footer"}
    overrides = "".join(f'<Override PartName="/word/{n}.xml" ContentType="{_MAIN}.{k}+xml"/>' for n, k in kinds.items())
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )


def _relations(items: list[tuple[str, str, str]]) -> str:
    rows = "".join(f'<Relationship Id="{i}" Type="{_RELATIONS}/{k}" Target="{t}"/>' for i, k, t in items)
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{rows}</Relationships>'


def _package_relations() -> str:
    return _relations([("rId1", "officeDocument", "word/document.xml")])


def _document_relations() -> str:
    return _relations(
        [("rId1", "styles", "styles.xml"), ("rId2", "header", "header1.xml"), ("rId3", "footer", "footer1.xml")]
    )


def _document() -> str:
    return (
        f"<w:document {_W} {_R}><w:body><w:p/><w:sectPr>"
        '<w:headerReference w:type="default" r:id="rId2"/><w:footerReference w:type="default" r:id="rId3"/>'
        '<w:pgSz w:w="11906" w:h="16838"/>'
        '<w:pgMar w:top="907" w:right="964" w:bottom="794" w:left="964" w:header="397" w:footer="340" w:gutter="0"/>'
        "</w:sectPr></w:body></w:document>"
    )


def _header(banner: str, watermark: str) -> str:
    text = (
        f'<w:r><w:rPr><w:b/><w:color w:val="801650"/></w:rPr><w:t xml:space="preserve">{escape(banner)}</w:t></w:r>'
        if banner
        else ""
    )
    shape = _watermark(watermark) if watermark else ""
    spaces = f'{_W} xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"'
    return f'<w:hdr {spaces}><w:p><w:pPr><w:pStyle w:val="Header"/></w:pPr>{shape}{text}</w:p></w:hdr>'


def _watermark(word: str) -> str:
    place = (
        "position:absolute;margin-left:0;margin-top:0;width:420pt;height:140pt;rotation:315;z-index:-251658752;"
        "mso-position-horizontal:center;mso-position-horizontal-relative:margin;"
        "mso-position-vertical:center;mso-position-vertical-relative:margin"
    )
    return (
        '<w:r><w:pict><v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800" '
        'path="m@7,l@8,m@5,21600l@6,21600e"><v:formulas><v:f eqn="sum #0 0 10800"/><v:f eqn="prod #0 2 1"/>'
        '<v:f eqn="sum 21600 0 @1"/><v:f eqn="sum 0 0 @2"/><v:f eqn="sum 21600 0 @3"/><v:f eqn="if @0 @3 0"/>'
        '<v:f eqn="if @0 21600 @1"/><v:f eqn="if @0 0 @2"/><v:f eqn="if @0 @4 21600"/></v:formulas>'
        '<v:path textpathok="t" o:connecttype="rect"/><v:textpath on="t" fitshape="t"/></v:shapetype>'
        f'<v:shape id="gpvarmark" alt="{escape(word)}" o:spid="_x0000_s2049" type="#_x0000_t136"'
        f' style="{place}" fillcolor="#e6e6e6" stroked="f">'
        f'<v:textpath style="font-family:&quot;Arial&quot;;font-size:1pt" string="{escape(word)}"/>'
        "</v:shape></w:pict></w:r>"
    )


def _field(code: str) -> str:
    return f'<w:fldSimple w:instr=" {code} "><w:r><w:t>1</w:t></w:r></w:fldSimple>'


def _footer() -> str:
    def words(text: str) -> str:
        return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'

    return (
        f'<w:ftr {_W}><w:p><w:pPr><w:pStyle w:val="Footer"/></w:pPr>{words("gpvar. Page ")}{_field("PAGE")}'
        f"{words(' of ')}{_field('NUMPAGES')}</w:p></w:ftr>"
    )


def _styles(half_points: int) -> str:
    """Return the styles: Arial 12 for reading, smaller only for tables, notes and sources."""
    box = f'<w:pBdr>{_borders(BLUE)}</w:pBdr><w:shd w:val="clear" w:color="auto" w:fill="F1F4F7"/>'
    rule = f'<w:pBdr><w:left w:val="single" w:sz="36" w:space="8" w:color="{BLUE}"/></w:pBdr>'
    paragraphs = [
        _style("Normal", "Normal", "", "", default=True),
        _style("BodyText", "Body Text", _space(0, 80), "", "Normal"),
        _style("FirstParagraph", "First Paragraph", _space(0, 80), "", "Normal"),
        _style("Compact", "Compact", _space(0, 30), "", "Normal"),
        _style("Title", "Title", _space(0, 80), _type(34, BLUE, True), "Normal"),
        _style(
            "Heading1",
            "heading 1",
            _space(0, 40) + '<w:keepNext/><w:outlineLvl w:val="0"/>',
            _type(34, BLUE, True),
            "Normal",
        ),
        _style(
            "Heading2",
            "heading 2",
            _space(110, 40) + '<w:keepNext/><w:outlineLvl w:val="1"/>',
            _type(27, BLUE, True),
            "Normal",
        ),
        _style(
            "Heading3",
            "heading 3",
            _space(80, 40) + '<w:keepNext/><w:outlineLvl w:val="2"/>',
            _type(24, BLUE, True),
            "Normal",
        ),
        _style("TableCaption", "Table Caption", _space(40, 40) + "<w:keepNext/>", _type(20, "3D3D3D", False), "Normal"),
        _style("Header", "header", _space(0, 0), _type(20), "Normal"),
        _style("Footer", "footer", _space(0, 0), _type(18, "3D3D3D"), "Normal"),
        _style("Verdict", "Verdict", rule + _space(0, 80, left=200), "", "Normal"),
        # A box is read as one: its head never stands at the foot of a page without what it heads.
        _style("Box", "Box", "<w:keepNext/>" + box + _space(0, 40, left=80, right=80), "", "Normal"),
        _style("Note", "Note", _space(20, 60), _type(19, "3D3D3D"), "Normal"),
        _style("AfterTable", "After Table", _space(100, 80), "", "Normal"),
        _style("NewPage", "New Page", "<w:pageBreakBefore/>" + _space(0, 40), _type(19, "3D3D3D"), "Normal"),
        _style("Sources", "Sources", _space(0, 40), _type(19, "3D3D3D"), "Normal"),
    ]
    return (
        f"<w:styles {_W}><w:docDefaults><w:rPrDefault><w:rPr>"
        '<w:rFonts w:ascii="Arial" w:hAnsi="Arial" w:eastAsia="Arial" w:cs="Arial"/>'
        f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'
        '<w:lang w:val="en-GB" w:eastAsia="en-GB" w:bidi="ar-SA"/></w:rPr></w:rPrDefault>'
        "<w:pPrDefault/></w:docDefaults>"
        f"{''.join(paragraphs)}{_character_styles()}{_table_style()}</w:styles>"
    )


def _borders(colour: str) -> str:
    return "".join(
        f'<w:{side} w:val="single" w:sz="8" w:space="4" w:color="{colour}"/>'
        for side in ("top", "left", "bottom", "right")
    )


def _space(before: int, after: int, left: int = 0, right: int = 0) -> str:
    indent = f'<w:ind w:left="{left}" w:right="{right}"/>' if left or right else ""
    return f'<w:spacing w:before="{before}" w:after="{after}"/>{indent}'


def _type(half_points: int, colour: str = "", bold: bool = False) -> str:
    tint = f'<w:color w:val="{colour}"/>' if colour else ""
    return f'{"<w:b/>" if bold else ""}{tint}<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'


def _style(identity: str, name: str, paragraph: str, run: str, based: str = "", default: bool = False) -> str:
    on = f'<w:basedOn w:val="{based}"/>' if based else ""
    flag = ' w:default="1"' if default else ""
    return (
        f'<w:style w:type="paragraph"{flag} w:styleId="{identity}"><w:name w:val="{name}"/>{on}<w:qFormat/>'
        f"<w:pPr>{_ordered(paragraph)}</w:pPr><w:rPr>{run}</w:rPr></w:style>"
    )


def _ordered(paragraph: str) -> str:
    """Put paragraph properties in the order the format demands: Word refuses what other readers forgive."""
    import re

    found = re.findall(r"<w:pBdr>.*?</w:pBdr>|<w:\w+[^>]*/>", paragraph)
    order = ["keepNext", "pageBreakBefore", "pBdr", "shd", "spacing", "ind", "outlineLvl"]
    return "".join(sorted(found, key=lambda tag: order.index(re.match(r"<w:(\w+)", tag)[1])))  # type: ignore[index]


def _character_styles() -> str:
    return (
        '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont">'
        '<w:name w:val="Default Paragraph Font"/></w:style>'
        f'<w:style w:type="character" w:styleId="Hyperlink"><w:name w:val="Hyperlink"/>'
        f'<w:rPr><w:color w:val="{BLUE}"/><w:u w:val="single"/></w:rPr></w:style>'
    )


def _table_style() -> str:
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="8A8F98"/>' for side in ("top", "bottom", "insideH")
    )
    return (
        '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/></w:style>'
        '<w:style w:type="table" w:styleId="Table"><w:name w:val="Table"/><w:basedOn w:val="TableNormal"/>'
        '<w:rPr><w:sz w:val="20"/><w:szCs w:val="20"/></w:rPr>'
        f"<w:tblPr><w:tblBorders>{edges}</w:tblBorders>"
        '<w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f'<w:tblStylePr w:type="firstRow"><w:rPr><w:b/><w:color w:val="{BLUE}"/></w:rPr></w:tblStylePr></w:style>'
    )
