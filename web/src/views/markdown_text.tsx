// Markdown of a session, drawn as elements of our own.
import { parseMarkdown, type Block, type Inline } from "../markdown.ts";
import { dialog } from "../page.ts";

export function MarkdownText({ text }: { text: string }) {
  return (
    <div class="markdown">
      {parseMarkdown(text).map((block, index) => <BlockView key={index} block={block} />)}
    </div>
  );
}

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case "heading": {
      const Heading = block.level <= 2 ? "h3" : "h4";
      return <Heading><Inlines content={block.content} /></Heading>;
    }
    case "paragraph": return <p><Inlines content={block.content} /></p>;
    case "quote": return <blockquote><Inlines content={block.content} /></blockquote>;
    case "code": return <pre class="code">{block.text}</pre>;
    case "rule": return <hr />;
    case "list": {
      const List = block.ordered ? "ol" : "ul";
      return <List>{block.items.map((item, index) => <li key={index}><Inlines content={item} /></li>)}</List>;
    }
  }
}

function Inlines({ content }: { content: readonly Inline[] }) {
  return <>{content.map((part, index) => <InlineView key={index} part={part} />)}</>;
}

function InlineView({ part }: { part: Inline }) {
  switch (part.kind) {
    case "text": return <>{part.text}</>;
    case "code": return <code>{part.text}</code>;
    case "strong": return <strong>{part.text}</strong>;
    case "emphasis": return <em>{part.text}</em>;
    case "link":
      return (
        <button class="link" onClick={() => { dialog.value = { kind: "link", address: part.address }; }}>
          {part.text}
        </button>
      );
  }
}
